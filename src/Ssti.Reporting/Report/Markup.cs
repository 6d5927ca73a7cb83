using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>Text that others wrote, as HTML: nothing in it is markup, and nothing in it is invisible.</summary>
internal static class Markup
{
    /// <summary>
    /// Escapes a text for content and for attributes in quotes. Characters that a browser does not show (controls, zero-width and bidirectional marks, of which
    /// triggers are made as well) are written out as <c>⟨U+200B⟩</c>; line feeds and tabs stay.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="most">What is longer, in UTF-16 code units, is cut and says so.</param>
    /// <param name="lines">Whether line feeds stay; else they are spaces.</param>
    public static string Text(string text, int most = int.MaxValue, bool lines = true)
    {
        var cut = text.Length <= most ? text.Length : most - (char.IsHighSurrogate(text[most - 1]) ? 1 : 0);
        var html = new StringBuilder(cut + 16);
        for (var at = 0; at < cut;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(at, cut - at), out var rune, out var length) != System.Buffers.OperationStatus.Done) Hidden(html, text[at]);
            else if (!lines && rune.Value is '\n' or '\t') html.Append(' ');
            else Append(html, rune, text, at);
            at += length;
        }

        if (cut < text.Length) html.Append(CultureInfo.InvariantCulture, $"… ({text.Length - cut} characters more)");
        return html.ToString();
    }

    /// <summary>A text on one line.</summary>
    public static string Line(string text, int most = 400) => Text(text, most, lines: false);

    /// <summary>A box of its own for what may be wider than the page, that keys reach as well.</summary>
    /// <param name="label">The id of the heading that names it.</param>
    /// <param name="html">What stands in it.</param>
    public static string Box(string label, string html) =>
        $"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"{label}\">{html}</div>\n";

    /// <summary>The head of a table; headings that end in <c>#</c> are of numbers.</summary>
    public static string Head(IEnumerable<string> headings) => "<thead><tr>"
        + string.Concat(headings.Select(heading => $"<th scope=\"col\"{(heading.EndsWith('#') ? " class=\"n\"" : "")}>{Line(heading.TrimEnd('#'), 60)}</th>"))
        + "</tr></thead>";

    /// <summary>A number for a style or a coordinate.</summary>
    public static string Number(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);

    private static void Append(StringBuilder html, Rune rune, string text, int at)
    {
        switch (rune.Value)
        {
            case '&': html.Append("&amp;"); break;
            case '<': html.Append("&lt;"); break;
            case '>': html.Append("&gt;"); break;
            case '"': html.Append("&quot;"); break;
            case '\'': html.Append("&#39;"); break;
            case '\n' or '\t': html.Append((char)rune.Value); break;
            case '\r' when at + 1 < text.Length && text[at + 1] == '\n': break;
            default:
                if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator) Hidden(html, rune.Value);
                else html.Append(rune.ToString());
                break;
        }
    }

    private static void Hidden(StringBuilder html, int value) => html.Append(CultureInfo.InvariantCulture, $"⟨U+{value:X4}⟩");
}
