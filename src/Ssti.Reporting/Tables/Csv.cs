using System.Globalization;

namespace Ssti.Reporting.Tables;

/// <summary>RFC 4180, by one rule for every file: fields with commas, quotes or line breaks are quoted, a line ends with CRLF, numbers are invariant and in full.</summary>
public static class Csv
{
    /// <summary>A line, its end included; null is an empty field.</summary>
    public static string Line(IEnumerable<string?> fields) => $"{string.Join(',', fields.Select(Field))}\r\n";

    /// <summary>A number with all its digits, so that it reads back as the same; an empty field for none.</summary>
    public static string? Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);

    private static string Field(string? field) =>
        field is null ? "" : field.AsSpan().ContainsAny(",\"\r\n") ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
