using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>Finds which of some features a row has, by the same rules by which they were counted.</summary>
public sealed class SuspectSearch
{
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal), _shapes = new(StringComparer.Ordinal);
    private readonly Dictionary<(string First, string Second), int> _pairs = [];
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

        // Most audits look for words alone, and classifying every word costs more than finding them.
        (_wantsFamilies, _wantsForms) = (_families.Any(index => index >= 0), _forms.Any(index => index >= 0));
    }

    /// <summary>The features of a text, each once, with where the first word that has it begins (0 for what the whole text has).</summary>
    public IReadOnlyDictionary<int, int> In(string text)
    {
        var found = new Dictionary<int, int>();
        var (words, inPairs) = (_words.GetAlternateLookup<ReadOnlySpan<char>>(), _inPairs.GetAlternateLookup<ReadOnlySpan<char>>());
        var walk = new TextWords(text);
        string? before = "";
        while (walk.MoveNext())
        {
            if (words.TryGetValue(walk.Word, out var word)) found.TryAdd(word, walk.Start);
            if (_shapes.Count > 0 && WordFamilies.Shape(walk.Word) is { Length: > 0 } written && _shapes.TryGetValue(written, out var shape)) found.TryAdd(shape, walk.Start);
            if (_wantsFamilies) Bits(_families, WordFamilies.Of(walk.Raw), walk.Start);
            var here = inPairs.TryGetValue(walk.Word, out var known) ? known : null;
            if (before is not null && here is not null && _pairs.TryGetValue((before, here), out var pair)) found.TryAdd(pair, walk.Start);
            before = here;
        }

        if (before is { Length: > 0 } && _pairs.TryGetValue((before, ""), out var last)) found.TryAdd(last, text.Length);
        if (_wantsForms) Bits(_forms, TextForms.Of(text), 0);
        return found;

        void Bits(int[] wanted, int bits, int start)
        {
            for (var bit = 0; bits >> bit != 0; bit++)
                if ((bits >> bit & 1) != 0 && wanted[bit] >= 0) found.TryAdd(wanted[bit], start);
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

    /// <summary>The values that words of a family or shape have in these rows, the most frequent first, with how many rows have each.</summary>
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
