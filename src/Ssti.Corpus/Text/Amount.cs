using System.Globalization;

namespace Ssti.Corpus.Text;

/// <summary>Numbers of things as messages say them.</summary>
public static class Amount
{
    /// <summary><c>1 row</c>, <c>2 rows</c>.</summary>
    public static string Rows(long count) => Of(count, "row");

    /// <summary><c>1 text</c>, <c>2 texts</c>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="one">What one is called; several have an s.</param>
    public static string Of(long count, string one) => string.Create(CultureInfo.InvariantCulture, $"{count} {one}{(count == 1 ? "" : "s")}");
}
