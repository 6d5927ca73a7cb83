using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>Finds which of some features a row has, by the same rules by which they were counted.</summary>
public sealed class SuspectSearch
{
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal), _shapes = new(StringComparer.Ordinal);
    private readonly Dictionary<(string First, string Second), int> _pairs = [];
    private readonly Dictionary<ulong, int> _pieces = [];

    // Most words and pieces are none of them: a glance tells.
    private readonly bool[] _mayBePiece = new bool[ushort.MaxValue + 1], _mayBeWord = new bool[ushort.MaxValue + 1];
    private readonly HashSet<string> _inPairs = new(StringComparer.Ordinal);
    private readonly int[] _families = [.. WordFamilies.Names.Select(_ => -1)], _forms = [.. TextForms.Names.Select(_ => -1)];

    private readonly bool _wantsFamilies, _wantsForms;

    /// <summary>A search for features, which are told by their index.</summary>
    public SuspectSearch(IReadOnlyList<Feature> features)
    {
        foreach (var (index, feature) in features.Index())
        {
            switch (feature.Kind)
            {
                case FeatureKind.Word: _words[feature.Name] = index; break;
                case FeatureKind.Piece: AddPiece(WordPieces.Number(feature), index); break;
                case FeatureKind.Shape: _shapes[feature.Name] = index; break;
                case FeatureKind.Family: _families[At(WordFamilies.Names, feature.Name)] = index; break;
                case FeatureKind.Form: _forms[At(TextForms.Names, feature.Name)] = index; break;
                default:
                    _pairs[(feature.Name, feature.Second)] = index;
                    _inPairs.Add(feature.Name);
                    _inPairs.Add(feature.Second);
                    break;
            }
        }

        foreach (var word in _words.Keys.Concat(_inPairs).Where(word => word.Length > 0)) _mayBeWord[Glance(word)] = true;

        // Most audits look for words alone, and classifying every word costs more than finding them.
        (_wantsFamilies, _wantsForms) = (_families.Any(index => index >= 0), _forms.Any(index => index >= 0));
    }

    private static ushort Glance(ReadOnlySpan<char> word) => (ushort)((word[0] * 397) ^ (word[^1] * 31) ^ (word.Length << 11));

    private void AddPiece(ulong piece, int index) => (_pieces[piece], _mayBePiece[(ushort)(piece ^ (piece >> 29))]) = (index, true);

    /// <summary>The features of a text, each once, with where the first word that has it begins (0 for what the whole text has).</summary>
    public IReadOnlyDictionary<int, int> In(string text)
    {
        var found = new Dictionary<int, int>();
        Each(text, (feature, start, _, _) => found.TryAdd(feature, start));
        return found;
    }

    /// <summary>Told of a feature: where in the text it begins, the number of its first word from 0, and its words (0 for what the whole text has).</summary>
    internal delegate void Found(int feature, int start, int word, int words);

    /// <summary>Tells every place of every feature of a text.</summary>
    internal void Each(string text, Found found)
    {
        var (words, inPairs) = (_words.GetAlternateLookup<ReadOnlySpan<char>>(), _inPairs.GetAlternateLookup<ReadOnlySpan<char>>());
        var walk = new TextWords(text);
        string? before = "";
        var number = 0;
        for (; walk.MoveNext(); number++)
        {
            var start = walk.Start;
            var mayBe = _mayBeWord[Glance(walk.Word)];
            if (mayBe && words.TryGetValue(walk.Word, out var word)) found(word, start, number, 1);
            if (_pieces.Count > 0)
                foreach (var of in WordPieces.Of(walk.Word))
                    if (_mayBePiece[(ushort)(of ^ (of >> 29))] && _pieces.TryGetValue(of, out var piece)) found(piece, start, number, 1);
            if (_shapes.Count > 0 && WordFamilies.Shape(walk.Word) is { Length: > 0 } written && _shapes.TryGetValue(written, out var shape)) found(shape, start, number, 1);
            if (_wantsFamilies) Bits(_families, WordFamilies.Of(walk.Raw), start, number, 1);
            var here = mayBe && inPairs.TryGetValue(walk.Word, out var known) ? known : null;
            if (before is not null && here is not null && _pairs.TryGetValue((before, here), out var pair))
                found(pair, start, before.Length == 0 ? 0 : number - 1, before.Length == 0 ? 1 : 2);
            before = here;
        }

        if (before is { Length: > 0 } && _pairs.TryGetValue((before, ""), out var last)) found(last, text.Length, number - 1, 1);
        if (_wantsForms) Bits(_forms, TextForms.Of(text), 0, 0, 0);

        void Bits(int[] wanted, int bits, int start, int word, int length)
        {
            for (var bit = 0; bits >> bit != 0; bit++)
                if ((bits >> bit & 1) != 0 && wanted[bit] >= 0) found(wanted[bit], start, word, length);
        }
    }

    /// <summary>A text without the words that have a feature; the text itself for a form, which no word has.</summary>
    public static string Without(string text, Feature feature)
    {
        if (feature.Kind == FeatureKind.Form) return text;
        var walk = new TextWords(text);
        var (kept, from) = (new System.Text.StringBuilder(text.Length), 0);
        var (before, beforeStart, beforeKept) = ("", 0, false);
        while (walk.MoveNext())
        {
            var goes = feature.Kind switch
            {
                FeatureKind.Word => walk.Word.SequenceEqual(feature.Name),
                FeatureKind.Piece => WordPieces.Has(walk.Word, WordPieces.Number(feature)),
                FeatureKind.Shape => WordFamilies.Shape(walk.Word) == feature.Name,
                FeatureKind.Family => (WordFamilies.Of(walk.Raw) >> At(WordFamilies.Names, feature.Name) & 1) != 0,
                _ => before == feature.Name && walk.Word.SequenceEqual(feature.Second),
            };
            var end = walk.Start + walk.Raw.Length;
            if (goes)
            {
                // The first word of a pair was kept before anybody knew of the second.
                if (feature.Kind == FeatureKind.Pair && beforeKept) Drop(from - beforeStart);
                kept.Append(text.AsSpan(Math.Min(from, walk.Start), Math.Max(0, walk.Start - from)).TrimEnd());
                from = end;
            }
            else
            {
                kept.Append(text.AsSpan(from, end - from));
                (beforeStart, from) = (walk.Start, end);
            }

            (before, beforeKept) = (walk.Word.ToString(), !goes);
        }

        if (feature is { Kind: FeatureKind.Pair, Second: "" } && before == feature.Name) Drop(from - beforeStart);
        return kept.Append(text.AsSpan(from)).ToString().Trim();

        // The last word, with the white space before it.
        void Drop(int length)
        {
            kept.Length -= Math.Min(kept.Length, length);
            while (kept.Length > 0 && char.IsWhiteSpace(kept[^1])) kept.Length--;
        }
    }

    private static int At(IReadOnlyList<string> names, string name) => names.Index().First(one => one.Item == name).Index;
}

/// <summary>A group of features that stand in the same rows: they are one finding under several names.</summary>
/// <param name="Lead">The one that tells most.</param>
/// <param name="Also">The others, best first.</param>
public sealed record Suspect(TestedFeature Lead, IReadOnlyList<TestedFeature> Also)
{
    /// <summary>Whether it surely gives its class away.</summary>
    public bool IsAlarm => Lead.IsAlarm;

    /// <summary>A few texts that have it.</summary>
    public IReadOnlyList<SuspectExample> Examples { get; init; } = [];

    /// <summary>The values that words of a family, shape or piece have in these rows, the most frequent first, with how many rows have each.</summary>
    public IReadOnlyList<(string Word, int Rows)> Values { get; init; } = [];
}

/// <summary>A row that has a suspect.</summary>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class.</param>
/// <param name="Text">The part of its text around the suspect.</param>
public sealed record SuspectExample(string Id, int Label, string Text);

/// <summary>A row that a suspect flags: it has one that gives its own class away.</summary>
/// <param name="Number">The row's number in its split, from 0.</param>
/// <param name="Row">The row.</param>
/// <param name="Suspects">The suspects that flag it, by their rank from 0.</param>
/// <param name="Start">Where the first of them begins in the text.</param>
public sealed record FlaggedRow(int Number, Row Row, IReadOnlyList<int> Suspects, int Start);
