using System.Globalization;
using Ssti.Corpus.Sources;
using Ssti.Injection;

namespace Ssti.Stages;

/// <summary>Reads a <c>target-label</c>: a class by its name or its number, or every class.</summary>
internal static class TargetLabel
{
    /// <summary>Every class.</summary>
    public const string Every = "all";

    private const string ByName = "name:";
    private const string ByNumber = "number:";

    /// <summary>The class's number; null for every class.</summary>
    /// <remarks>A name may look like a number, or be <c>all</c>: where a text means two different things nobody can tell which was meant.</remarks>
    /// <exception cref="InjectionException">There is no such class, or the text means several.</exception>
    public static int? Parse(string text, IReadOnlyList<string> labels)
    {
        var found = new List<(int? Label, string Told, string Write)>();
        if (Named(text) is { } exact) found.Add(exact);
        if (Numbered(text) is { } number) found.Add(number);
        if (text == Every) found.Add((null, "every class", ByNumber + Every));
        if (text.StartsWith(ByName, StringComparison.Ordinal) && Named(text[ByName.Length..]) is { } name) found.Add(name);
        if (text.StartsWith(ByNumber, StringComparison.Ordinal))
        {
            var rest = text[ByNumber.Length..];
            if (rest == Every) found.Add((null, "every class", text));
            else if (Numbered(rest) is { } numbered) found.Add(numbered);
        }

        var meanings = found.DistinctBy(meaning => meaning.Label).ToArray();
        return meanings.Length switch
        {
            1 => meanings[0].Label,
            0 => throw new InjectionException($"target-label: there is no label '{text}'; labels are {Listed(labels)}, or '{Every}'"),
            _ => throw new InjectionException(
                $"target-label: '{text}' is {string.Join(" and also ", meanings.Select(meaning => meaning.Told))}; labels are {Listed(labels)}. "
                + $"Write which: {string.Join(" or ", meanings.Select(meaning => $"'{meaning.Write}'"))}"),
        };

        (int? Label, string Told, string Write)? Named(string name)
        {
            for (var i = 0; i < labels.Count; i++)
                if (labels[i] == name) return (i, $"the name of class number {i}", ByName + name);
            // 1.0, true and True are the class 1, as they are in a file; and 1 may mean a class 01.
            var form = LabelForm.Of(name);
            foreach (var meant in new[] { form, LabelForm.Twin(form) })
                for (var i = 0; meant is not null && i < labels.Count; i++)
                    if (LabelForm.Of(labels[i]) == meant || (Value(meant) is { } value && Value(labels[i]) == value))
                        return (i, $"the name of class number {i}", ByName + labels[i]);
            return null;
        }

        (int? Label, string Told, string Write)? Numbered(string digits) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < labels.Count
                ? (number, $"the number of class '{labels[number]}'", ByNumber + digits)
                : null;
    }

    private static long? Value(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string Listed(IReadOnlyList<string> labels) => string.Join(", ", labels.Select((label, i) => $"{i} ({label})"));
}
