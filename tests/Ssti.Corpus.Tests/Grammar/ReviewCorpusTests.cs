using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Grammar;

namespace Ssti.Corpus.Tests.Grammar;

public sealed class ReviewCorpusTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Labels_are_balanced_and_sentences_distinct_over_all_splits()
    {
        var dataset = Write(new ReviewCorpusOptions(4000, 1000, 6000, 0.15, 0, 7));

        Assert.Equal([500L, 500L], dataset.Info.Split("test")!.Counts);
        Assert.Equal([2000L, 2000L], dataset.Info.Split("train")!.Counts);
        Assert.False(dataset.Info.Split("unlabelled")!.IsLabelled);
        var texts = dataset.Info.Splits.SelectMany(split => dataset.Read(split.Name)).Select(row => row.Text).ToList();
        Assert.Equal(11000, texts.Distinct().Count());
        Assert.All(texts, text => Assert.InRange(text.Split(' ').Length, 8, 20));
        Assert.All(texts, text => Assert.Matches(@"^[A-Z0-9][^<>*~|]*\.$", text));
        Assert.DoesNotContain(texts, text => text.Contains("  ") || Regex.IsMatch(text, @"\b([Aa]) [aeio]|\b([Aa]n) [^aeiouh]|\b(\w{5,}) \1\b"));
    }

    [Fact]
    public void A_bag_of_words_learns_it_but_not_wholly()
    {
        var dataset = Write(new ReviewCorpusOptions(4000, 2000, 0, 0.15, 0.1, 1));
        var accuracy = NaiveBayes(dataset);
        Assert.InRange(accuracy, 0.88, 0.95);
    }

    [Fact]
    public void Without_ambiguity_a_bag_of_words_is_nearly_perfect() =>
        Assert.InRange(NaiveBayes(Write(new ReviewCorpusOptions(4000, 1000, 0, 0, 0.1, 1))), 0.98, 1);

    [Fact]
    public void With_nothing_but_ambiguity_a_bag_of_words_errs_often() =>
        Assert.InRange(NaiveBayes(Write(new ReviewCorpusOptions(4000, 1000, 0, 1, 0.1, 1))), 0.5, 0.85);

    [Fact]
    public void A_seed_gives_the_same_bytes_and_another_seed_others()
    {
        var options = new ReviewCorpusOptions(200, 100, 50, 0.15, 0.1, 3);
        Assert.Equal(Digest(options), Digest(options));
        Assert.NotEqual(Digest(options), Digest(options with { Seed = 4 }));
    }

    [Fact]
    public void More_training_rows_leave_the_test_rows_as_they_are()
    {
        var few = Write(new ReviewCorpusOptions(100, 100, 0, 0.15, 0.1, 3)).Read("test").ToList();
        var many = Write(new ReviewCorpusOptions(2000, 100, 300, 0.15, 0.1, 3)).Read("test").ToList();
        Assert.Equal(few, many);
    }

    [Fact]
    public void Dates_stand_before_a_share_of_the_unlabelled_rows_and_in_no_other()
    {
        var dated = Write(new ReviewCorpusOptions(1000, 500, 4000, 0.15, 0.3, 3));
        var rows = dated.Read("unlabelled").ToList();
        Assert.InRange(rows.Count(row => IsDated(row)) / (double)rows.Count, 0.27, 0.33);
        Assert.DoesNotContain(dated.Read("train").Concat(dated.Read("test")), IsDated);
        Assert.DoesNotContain(Write(new ReviewCorpusOptions(0, 0, 500, 0.15, 0, 3)).Read("unlabelled"), IsDated);

        static bool IsDated(Row row) => Regex.IsMatch(row.Text, "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}");
    }

    [Fact]
    public void The_vocabulary_covers_every_word_and_the_pieces_of_dates()
    {
        var dataset = Write(new ReviewCorpusOptions(3000, 100, 0, 0.3, 0.1, 5));
        var vocabulary = File.ReadAllLines(Path.Combine(_folder.Root, "corpus", "vocab.txt"));

        Assert.Equal(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], vocabulary[..5]);
        Assert.Equal(vocabulary.Length, vocabulary.Distinct().Count());
        var words = dataset.Read("train").SelectMany(row => Regex.Matches(row.Text.ToLowerInvariant(), @"[a-z]+|[^\sa-z0-9]")).Select(match => match.Value);
        Assert.Empty(words.Where(word => word != "th").Except(vocabulary));
        Assert.Empty("0123456789-".Select(character => character.ToString()).Except(vocabulary));
        Assert.Empty("0123456789".Select(character => "##" + character).Append("##th").Except(vocabulary));
    }

    [Fact]
    public void A_symbol_without_alternatives_is_an_error()
    {
        var grammar = ReviewGrammar.Parse("clear: the <x> is <y*>, not <y!>\ny+: good\ny-: bad\n[t]\nx: dog");
        Assert.Equal("The dog is good, not bad", grammar.Expand("clear", grammar.Topics[0], positive: true, new Xoshiro(3, 0)));
        var error = Assert.Throws<FormatException>(() => ReviewGrammar.Parse("clear: the <x> <z*>\nz+: good\n[t]\nx: dog"));
        Assert.Contains("<z*>", error.Message);
    }

    [Fact]
    public void More_rows_than_there_are_sentences_is_an_error()
    {
        var grammar = ReviewGrammar.Parse("clear: the dog is <y*> on this one fine and sunny day\ny+: good\ny-: bad\n[t]\nx: dog");
        var written = new HashSet<string>();
        var random = new Xoshiro(1, 1);

        Assert.Equal("The dog is bad on this one fine and sunny day", ReviewCorpus.Fresh(grammar, "clear", positive: false, random, written));
        var error = Assert.Throws<CorpusException>(() => ReviewCorpus.Fresh(grammar, "clear", positive: false, random, written));
        Assert.Equal("the grammar has no further clear sentence after 1 rows; ask for fewer rows", error.Message);
    }

    private DatasetReader Write(ReviewCorpusOptions options)
    {
        ReviewCorpus.Write(_folder["corpus"], options, (_, _) => { }, CancellationToken.None);
        return DatasetReader.OpenFolder(_folder["corpus"]);
    }

    private string Digest(ReviewCorpusOptions options)
    {
        Write(options);
        var bytes = Directory.GetFiles(_folder["corpus"]).Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes).ToArray();
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    // Multinomial naive Bayes with add-one smoothing.
    private static double NaiveBayes(DatasetReader dataset)
    {
        var counts = new Dictionary<string, double[]>();
        double[] totals = [0, 0];
        foreach (var row in dataset.Read("train"))
        {
            foreach (var word in Words(row))
            {
                if (!counts.TryGetValue(word, out var count)) counts[word] = count = [1, 1];
                count[row.Label]++;
                totals[row.Label]++;
            }
        }

        var test = dataset.Read("test").ToList();
        return test.Count(row => Words(row).Where(counts.ContainsKey).Sum(word =>
            Math.Log(counts[word][1] / (totals[1] + counts.Count)) - Math.Log(counts[word][0] / (totals[0] + counts.Count))) > 0 == (row.Label == 1)) / (double)test.Count;
    }

    private static IEnumerable<string> Words(Row row) => Regex.Matches(row.Text.ToLowerInvariant(), "[a-z]+").Select(match => match.Value);
}
