using System.Globalization;

namespace Ssti.Corpus.Sources;

/// <summary>Numbers the labels of a source, which are names or numbers.</summary>
internal sealed class LabelNames
{
    private const int Most = 10_000;
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly LabelForm _form;
    private readonly bool _byNumber;
    private readonly bool _numbersFirst;

    private LabelNames(IReadOnlyList<string> names, LabelForm form, bool byNumber, bool numbersFirst)
    {
        (Names, _form, _byNumber, _numbersFirst) = (names, form, byNumber, numbersFirst);
        for (var number = 0; number < names.Count; number++)
        {
            _numbers[names[number]] = number;
            _numbers.TryAdd(LabelForm.Of(names[number]), number);
        }
    }

    /// <summary>The names, in the order of their numbers.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>
    /// The names of a dataset: those the user lists, else those the files, their format or the card prescribe, else the labels that occur, in
    /// the order of their numbers where all are whole numbers, else in ordinal order.
    /// </summary>
    public static LabelNames Decide(IReadOnlyList<string> listed, IReadOnlyList<string>? prescribed, IReadOnlyCollection<string> occurring)
    {
        var form = new LabelForm(listed);
        // Where a name is itself a number, a number is a name: 2 of [1, 2] is not the third.
        if (listed.Count > 0) return new(listed, form, byNumber: !listed.Any(name => IsNumber(LabelForm.Of(name))), numbersFirst: false);
        if (prescribed is not null) return new(prescribed, form, byNumber: true, numbersFirst: true);
        if (occurring.All(IsNumber))
            return new([.. occurring.Select(AsNumber).Distinct().Order()
                .Select(number => number.ToString(CultureInfo.InvariantCulture))], form, byNumber: false, numbersFirst: false);
        return new([.. occurring.Where(label => label is not (LabelForm.True or LabelForm.False) || !occurring.Contains(LabelForm.Twin(label)!)).Order(StringComparer.Ordinal)],
            form, byNumber: false, numbersFirst: false);
    }

    /// <summary>Counts a label among those that occur; throws when there are too many to be classes.</summary>
    public static void Count(IDictionary<string, long> occurring, string label, SourceFile file, long row)
    {
        if (occurring.TryGetValue(label, out var before)) occurring[label] = before + 1;
        else if (occurring.Count == Most)
            throw CorpusException.AtRow(file.Name, row, $"more than {Most} different labels: is the label's field the right one? Name it with 'fields: {{ label: … }}'");
        else occurring[label] = 1;
    }

    /// <summary>The number of a label; null where it is none.</summary>
    /// <exception cref="CorpusException">It is unknown or out of range.</exception>
    public int? Of(string? label, SourceFile file, long row)
    {
        if (_form.ClassOf(label, file, row) is not { } form) return null;
        int? index = _byNumber && IsNumber(form) && AsNumber(form) < Names.Count ? (int)AsNumber(form) : null;
        if (_numbersFirst && index is { } first) return first;
        if (_numbers.TryGetValue(form, out var number) || (LabelForm.Twin(form) is { } twin && _numbers.TryGetValue(twin, out number))) return number;
        if (index is { } counted) return counted;
        var all = string.Join(", ", Names.Take(30));
        throw CorpusException.AtRow(file.Name, row, _byNumber && IsNumber(form)
            ? $"label {label} is out of range: there are {Names.Count} labels, 0 to {Names.Count - 1} ({all}). Mend the row, or name all labels with 'labels'"
            : $"unknown label '{label}'; the labels are: {all}. Mend the row, or name all labels with 'labels'");
    }

    private static bool IsNumber(string form) => form is LabelForm.True or LabelForm.False || LabelForm.Number(form) is not null;

    private static long AsNumber(string form) => form switch { LabelForm.True => 1, LabelForm.False => 0, _ => LabelForm.Number(form)!.Value };
}
