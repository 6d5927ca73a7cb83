using System.Globalization;
using System.Text;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Report;

/// <summary>A <see cref="Table"/> as HTML, in a box of its own that scrolls where the page is narrower.</summary>
internal static class HtmlTable
{
    private const int MostRows = 200, LongestCell = 300;

    /// <summary>The table without its title, its notes below.</summary>
    /// <param name="table">The table.</param>
    /// <param name="label">The id of the heading that names it.</param>
    /// <param name="bytes">Rows that would make it larger are left out and counted.</param>
    /// <param name="classOf">The class of a row by its index, or null.</param>
    /// <param name="more">How to get what is left out.</param>
    public static string Of(Table table, string label, int bytes, string more, Func<int, string?>? classOf = null)
    {
        var allowance = new Allowance(bytes);
        var html = new StringBuilder();
        html.Append("<table><thead><tr>");
        foreach (var column in table.Columns)
        {
            var defined = column.Definition is { } definition ? $" title=\"{Markup.Line(definition, LongestCell)}\"" : "";
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{Class(column)}{defined}>{Markup.Line(column.Header, LongestCell)}</th>");
        }

        html.Append("</tr></thead><tbody>\n");
        allowance.Take(html.ToString());
        var shown = 0;
        while (shown < Math.Min(table.Rows.Count, MostRows) && Row(table, shown, classOf?.Invoke(shown)) is var row && allowance.Take(row))
        {
            html.Append(row);
            shown++;
        }

        var left = shown == table.Rows.Count ? "" : string.Create(CultureInfo.InvariantCulture, $"<p class=\"left\">The first {shown} of {table.Rows.Count} rows; ")
            + $"the others are left out, for the page would be too large; {Markup.Line(more)}.</p>\n";
        return Markup.Box(label, html.Append("</tbody></table>").ToString()) + left + Notes([.. table.Told]);
    }

    /// <summary>Sentences as a list.</summary>
    public static string Notes(IReadOnlyList<string> notes) =>
        notes.Count == 0 ? "" : $"<ul class=\"notes\">{string.Concat(notes.Select(note => $"<li>{Markup.Line(note, 1200)}</li>"))}</ul>\n";

    private static string Row(Table table, int index, string? of)
    {
        var html = new StringBuilder(of is null ? "<tr>" : $"<tr class=\"{of}\">");
        foreach (var (at, cell) in table.Rows[index].Index())
        {
            var (text, side) = (Markup.Line(cell.ToString(), LongestCell), Class(table.Columns[at]));
            html.Append(at == 0 ? $"<th scope=\"row\"{side}>{text}</th>" : $"<td{side}>{text}</td>");
        }

        return html.Append("</tr>\n").ToString();
    }

    private static string Class(Column column) => column.Align == Align.Right ? " class=\"n\"" : "";
}
