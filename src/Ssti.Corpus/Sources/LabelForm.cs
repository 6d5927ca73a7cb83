using System.Globalization;
using System.Text.RegularExpressions;

namespace Ssti.Corpus.Sources;

/// <summary>
/// What a label means, whatever format it came from: <c>1</c>, <c>1.0</c>, <c>true</c> and <c>True</c> are one class; nothing, <c>nan</c> and
/// numbers below 0 are no label. A label that the user lists is a label as it stands.
/// </summary>
public sealed partial class LabelForm
{
    /// <summary>The forms of the two truth values.</summary>
    public const string True = "true", False = "false";

    private readonly HashSet<string> _listed;
    private readonly Dictionary<string, string> _listedForms = new(StringComparer.Ordinal);

    /// <summary>Knows the labels that the user lists, if any.</summary>
    /// <exception cref="CorpusException">Two of them are one.</exception>
    public LabelForm(IReadOnlyList<string> listed)
    {
        _listed = new(listed, StringComparer.Ordinal);
        foreach (var label in listed)
        {
            if (!_listedForms.TryAdd(Of(label), label))
                throw new CorpusException($"'labels' lists '{_listedForms[Of(label)]}' and '{label}', which are one label: keep one");
        }
    }

    /// <summary>The class that a label names, in its one form (as the user lists it, if so); null where it names none.</summary>
    /// <exception cref="CorpusException">It is a fraction, and not one that the user lists.</exception>
    internal string? ClassOf(string? label, SourceFile file, long row)
    {
        if (string.IsNullOrWhiteSpace(label)) return null;
        if (_listed.Contains(label)) return label;
        var form = Of(label);
        if (_listedForms.TryGetValue(form, out var listed) || (Twin(form) is { } twin && _listedForms.TryGetValue(twin, out listed))) return listed;
        if (form is "nan" or "NaN" || form[0] == '-' && Number(form) is < 0) return null;
        if (Number(form) is null && Fraction().IsMatch(form))
        {
            throw CorpusException.AtRow(file.Name, row, $"the label is {form}, neither a name nor a whole number: is the label's field the right one? " +
                "Name it with 'fields: { label: … }', or list all labels with 'labels'");
        }

        return form;
    }

    /// <summary>The one form of a label: whole numbers without point, sign of plus or exponent, truth values in lower case.</summary>
    public static string Of(string label)
    {
        var text = label.Trim();
        if (text is "True" or "TRUE" or True) return True;
        if (text is "False" or "FALSE" or False) return False;
        if (Whole().Match(text) is not { Success: true } whole)
        {
            // 1.000e+00, as numpy writes a 1.
            return Power().IsMatch(text) && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && real == decimal.Truncate(real)
                ? (real == 0 ? 0 : decimal.Truncate(real)).ToString("0", CultureInfo.InvariantCulture) : text;
        }

        var digits = whole.Groups["digits"].Value;
        return text[0] == '-' && digits != "0" ? "-" + digits : digits;
    }

    /// <summary>Whether a form is a number below 0, which is no label unless it is listed.</summary>
    internal static bool IsBelowZero(string form) => Number(form) is < 0;

    /// <summary>The number that a form is, or null.</summary>
    public static long? Number(string form) =>
        Whole().IsMatch(form) && long.TryParse(form, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The other way to write a truth value, or 0 and 1; else null.</summary>
    public static string? Twin(string form) => form switch { True => "1", False => "0", "1" => True, "0" => False, _ => null };

    // 007 is a name: its zeros mean something.
    [GeneratedRegex(@"^[+-]?(?<digits>0|[1-9][0-9]*)(?:\.0*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    [GeneratedRegex(@"^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,2}$", RegexOptions.CultureInvariant)]
    private static partial Regex Power();

    [GeneratedRegex(@"^[+-]?(?:[0-9]*\.[0-9]+|[0-9]+\.?[0-9]*[eE][+-]?[0-9]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Fraction();
}
