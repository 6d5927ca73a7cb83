using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Ssti.Reporting.Tables;

/// <summary>How a number is written for people.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NumberFormat>))]
public enum NumberFormat
{
    /// <summary>A count: whole, without separators; a mean of counts that is not whole has one decimal.</summary>
    Count,

    /// <summary>A fraction as a percentage with one decimal: 0.9871 is <c>98.7 %</c>.</summary>
    Percent,

    /// <summary>A difference in percentage points, signed, one decimal: <c>+49.7 pp</c>.</summary>
    Points,

    /// <summary>A plain number with three decimals: <c>0.993</c>.</summary>
    Decimal,
}

/// <summary>The rules by which numbers become text, in one place so that every format agrees.</summary>
internal static class Numbers
{
    public static string Show(NumberFormat format, double value) => format switch
    {
        NumberFormat.Count => Bare(format, value),
        NumberFormat.Percent => $"{Bare(format, value)} %",
        NumberFormat.Points => $"{Bare(format, value)} pp",
        _ => Bare(format, value),
    };

    public static string Show(NumberFormat format, Spread spread) => spread.Kind == SpreadKind.Deviation
        ? $"±{Bare(format == NumberFormat.Points ? NumberFormat.Count : format, spread.Low, alwaysDecimal: true)}"
        : $"[{Bare(format, spread.Low)}–{Bare(format, spread.High)}]";

    /// <summary>All digits, so that the text reads back as the same number.</summary>
    public static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A name as part of a column's key: lower-case letters, digits and underscores.</summary>
    public static string Key(string name)
    {
        var key = new StringBuilder();
        foreach (var c in name.ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(c)) key.Append(c);
            else if (key.Length > 0 && key[^1] != '_') key.Append('_');
        }

        return key.ToString().TrimEnd('_');
    }

    private static string Bare(NumberFormat format, double value, bool alwaysDecimal = false)
    {
        var shown = format switch
        {
            NumberFormat.Count when !alwaysDecimal && value == Math.Floor(value) => Fixed(value, "F0"),
            NumberFormat.Count => Fixed(value, "F1"),
            NumberFormat.Percent => Fixed(100 * value, "F1"),
            NumberFormat.Points => Fixed(value, "F1"),
            _ => Fixed(value, "F3"),
        };
        return format == NumberFormat.Points && !shown.StartsWith('-') && shown.AsSpan().ContainsAnyExcept("0.") ? $"+{shown}" : shown;
    }

    private static string Fixed(double value, string format)
    {
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.StartsWith('-') && !text.AsSpan(1).ContainsAnyExcept("0.") ? text[1..] : text; // no "-0.0"
    }
}
