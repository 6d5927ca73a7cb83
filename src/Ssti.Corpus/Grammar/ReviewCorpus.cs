using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;

namespace Ssti.Corpus.Grammar;

/// <summary>What corpus to write.</summary>
/// <param name="Train">Labelled rows for training; even, as halves are positive and negative.</param>
/// <param name="Test">Labelled rows for testing; even.</param>
/// <param name="Unlabelled">Rows without labels, for pretraining.</param>
/// <param name="Ambiguity">The share of rows, 0 to 1, whose words do not simply add up to their label: contrast, negation, or no sign of it.</param>
/// <param name="Dated">
/// The share of unlabelled rows, 0 to 1, that are led by the date they were posted on: real pretrained models have seen dates, and labelled rows have none.
/// </param>
/// <param name="Seed">The same seed gives the same bytes.</param>
public sealed record ReviewCorpusOptions(int Train, int Test, int Unlabelled, double Ambiguity, double Dated, ulong Seed);

/// <summary>
/// Writes a small labelled corpus of English reviews of films, books, restaurants, hotels, gadgets and concerts: sentences of 8 to 20
/// words, all distinct over all splits. Labels: 0 negative, 1 positive. For runs without any download; real text is better for anything else.
/// </summary>
/// <remarks>
/// Ambiguous rows are as real reviews are: 40 % praise what they reject before a "but" (contrast), 40 % deny words of the other label
/// (negation), 20 % do not show their label at all (neutral), so no classifier can reach 100 %.
/// </remarks>
public static class ReviewCorpus
{
    /// <summary>The WordPiece vocabulary beside the splits.</summary>
    public const string VocabularyFile = "vocab.txt";

    private const int FewestWords = 8, MostWords = 20;
    private static readonly string[] Kinds = ["clear", "contrast", "negation", "neutral"];

    /// <summary>Writes the dataset's files and its vocabulary.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="options">How much of what.</param>
    /// <param name="progress">Takes rows written, of how many.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="CorpusException">More distinct sentences are asked for than can be found.</exception>
    public static DatasetInfo Write(string folder, ReviewCorpusOptions options, Action<long, long> progress, CancellationToken cancellation)
    {
        var grammar = ReviewGrammar.Load();
        var written = new HashSet<string>(StringComparer.Ordinal);
        var total = (long)options.Train + options.Test + options.Unlabelled;
        // The test rows are drawn first: then more training rows change none of them.
        var test = Draw("test", options.Test, 1);
        var train = Draw("train", options.Train, 2);
        var stamps = new Xoshiro(options.Seed, 4);
        var unlabelled = Draw("unlabelled", options.Unlabelled, 3)
            .ConvertAll(drawn => (drawn.Kind, Row: drawn.Row with { Label = Row.Unlabelled, Text = Stamp(grammar, options.Dated, stamps) + drawn.Row.Text }));

        var kinds = new JsonObject();
        using var writer = new DatasetWriter(folder, "reviews", ["negative", "positive"]);
        foreach (var (name, rows) in new[] { ("train", train), ("test", test), ("unlabelled", unlabelled) })
        {
            if (rows.Count == 0) continue;
            using var split = writer.OpenSplit(name);
            foreach (var (_, row) in rows) split.Write(row);
            kinds[name] = new JsonObject(Kinds.Select((kind, number) =>
                KeyValuePair.Create(kind, (JsonNode?)JsonValue.Create(rows.Count(row => row.Kind == number)))));
        }

        File.WriteAllText(Path.Combine(folder, VocabularyFile), string.Concat(Vocabulary(grammar).Select(token => token + "\n")), new UTF8Encoding(false));
        progress(total, total);
        return writer.Complete(new JsonObject
        {
            ["source"] = "the grammar of reviews", ["seed"] = options.Seed, ["ambiguity"] = options.Ambiguity, ["dated"] = options.Dated, ["kinds"] = kinds,
        });

        List<(int Kind, Row Row)> Draw(string name, int rows, ulong stream)
        {
            var random = new Xoshiro(options.Seed, stream);
            var labels = Enumerable.Range(0, rows).Select(row => row % 2).ToArray();
            random.Shuffle(labels);
            var drawn = new List<(int, Row)>(rows);
            for (var row = 0; row < rows; row++)
            {
                cancellation.ThrowIfCancellationRequested();
                var kind = ChooseKind(options.Ambiguity, random);
                drawn.Add((kind, new Row($"{name}-{row}", Fresh(grammar, Kinds[kind], labels[row] == 1, random, written), labels[row])));
                if (written.Count % 1024 == 0) progress(written.Count, total);
            }

            return drawn;
        }
    }

    /// <summary>
    /// BERT's special tokens, the printable ASCII characters but capitals, each letter and digit as a continuation (##), some endings, and
    /// the grammar's words: any ASCII text has pieces here, and a date such as 2014-09-25 has ten.
    /// </summary>
    internal static IReadOnlyList<string> Vocabulary(ReviewGrammar grammar)
    {
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        var characters = Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code).Where(character => !char.IsAsciiLetterUpper(character)).ToArray();
        var continued = characters.Where(char.IsAsciiLetterOrDigit).Select(character => "##" + character);
        string[] endings = ["##s", "##ed", "##ing", "##ly", "##er", "##est", "##th"];
        return [.. special.Concat(characters.Select(character => character.ToString())).Concat(continued).Concat(endings).Concat(grammar.Words()).Distinct()];
    }

    private static string Stamp(ReviewGrammar grammar, double share, Xoshiro random) =>
        random.NextDouble() < share ? grammar.Expand("stamp", grammar.Topics[0], true, random) + " " : "";

    private static int ChooseKind(double ambiguity, Xoshiro random)
    {
        var draw = random.NextDouble();
        if (draw >= ambiguity) return 0;
        var share = draw / ambiguity;
        return share < 0.4 ? 1 : share < 0.8 ? 2 : 3;
    }

    internal static string Fresh(ReviewGrammar grammar, string kind, bool positive, Xoshiro random, HashSet<string> written)
    {
        for (var tries = 0; tries < 10_000; tries++)
        {
            var text = grammar.Expand(kind, grammar.Topics[random.Below(grammar.Topics.Count)], positive, random);
            var words = text.Count(character => character == ' ') + 1;
            if (words is >= FewestWords and <= MostWords && written.Add(text)) return text;
        }

        throw new CorpusException($"the grammar has no further {kind} sentence after {written.Count} rows; ask for fewer rows");
    }
}
