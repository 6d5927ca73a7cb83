using System.Globalization;

namespace Ssti.Corpus.Sources;

/// <summary>Turns the labels of a source, which are names or numbers, into numbers.</summary>
internal sealed class LabelNames
{
    private const int Most = 10_000;
    private readonly Dictionary<string, int> _numbers;

    private LabelNames(IReadOnlyList<string> names)
    {
        Names = names;
        _numbers = names.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number, StringComparer.Ordinal);
    }

    /// <summary>The names, in the order of their numbers.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>
    /// The names of a dataset: those given, else those the format or the files prescribe, else from the labels that occur: numbers name
    /// themselves, names are numbered in ordinal order.
    /// </summary>
    public static LabelNames Decide(IReadOnlyList<string> given, IReadOnlyList<string>? prescribed, IReadOnlySet<string> occurring)
    {
        if (given.Count > 0 && given.Distinct().Count() < given.Count) throw new CorpusException("two labels have one name");
        if (given.Count > 0) return new LabelNames(given);
        if (prescribed is not null) return new LabelNames(prescribed);
        var numbers = occurring.Select(Number).ToList();
        if (numbers.Contains(null)) return new LabelNames([.. occurring.Order(StringComparer.Ordinal)]);
        var highest = numbers.Max() ?? -1;
        if (highest >= Most) throw new CorpusException($"the highest label is {highest}: is the label's field the right one? Name it with 'fields: {{ label: … }}'");
        return new LabelNames([.. Enumerable.Range(0, (int)highest + 1).Select(number => number.ToString(CultureInfo.InvariantCulture))]);
    }

    /// <summary>Adds a label to those that occur; throws when there are too many to be classes.</summary>
    public static void Note(ISet<string> occurring, string label, SourceFile file, long row)
    {
        if (Number(label) is < 0) return;
        if (occurring.Add(label) && occurring.Count > Most)
            throw CorpusException.AtRow(file.Name, row, $"more than {Most} different labels: is the label's field the right one? Name it with 'fields: {{ label: … }}'");
    }

    /// <summary>Whether a label stands for "none": absent, or a number below 0.</summary>
    public static bool IsNone(string? label) => label is null || Number(label) is < 0;

    /// <summary>The number of a label.</summary>
    /// <exception cref="CorpusException">It is unknown or out of range.</exception>
    public int Of(string label, string where, long row)
    {
        if (_numbers.TryGetValue(label, out var number)) return number;
        var all = string.Join(", ", Names.Take(30));
        if (Number(label) is not { } asNumber)
            throw CorpusException.AtRow(where, row, $"unknown label '{label}'; the labels are: {all}. Mend the row, or name all labels with 'labels'");
        return asNumber < Names.Count
            ? (int)asNumber
            : throw CorpusException.AtRow(where, row, $"label {label} is out of range: there are {Names.Count} labels, 0 to {Names.Count - 1} ({all}). Mend the row, or name all labels with 'labels'");
    }

    private static long? Number(string label) =>
        long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
