using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Tables;

/// <summary>The renderings of a <see cref="Table"/>. All end lines with LF, so that they are the same bytes on every system (CSV: CRLF, as its standard asks).</summary>
public static class TableText
{
    /// <summary>A GitHub-flavoured Markdown table, columns padded so that the source reads well, with title and notes.</summary>
    public static string ToMarkdown(this Table table)
    {
        var cells = Escaped(table, EscapeMarkdown);
        var widths = Widths(cells, least: 3); // the rule below the heading needs three characters
        var text = new StringBuilder($"**{EscapeMarkdown(table.Title)}**\n\n");
        for (var row = 0; row < cells.Count; row++)
        {
            text.Append("| ").AppendJoin(" | ", Aligned(table, cells[row], widths)).Append(" |\n");
            if (row > 0) continue;
            foreach (var (column, width) in table.Columns.Zip(widths))
                text.Append(column.Align == Align.Right ? $"| {new string('-', width - 1)}: " : $"| :{new string('-', width - 1)} ");
            text.Append("|\n");
        }

        if (table.Told.Any()) text.Append('\n');
        foreach (var note in table.Told) text.Append("- ").Append(EscapeMarkdown(note)).Append('\n');
        return text.ToString();
    }

    /// <summary>
    /// RFC 4180: a header, then one line a row. Numbers stand bare and exact: counts, fractions (not percentages), points. A column
    /// whose cells have parts becomes several, such as <c>asr_min</c>. Title and notes are left out; a profile is the last column.
    /// </summary>
    public static string ToCsv(this Table table)
    {
        var rows = table.Rows.Select(row => row.Select(cell => cell.Flatten().ToArray()).ToArray()).ToArray();
        var suffixes = table.Columns.Select((_, column) => rows.SelectMany(row => row[column]).Select(part => part.Suffix).Distinct().ToArray()).ToArray();
        var text = new StringBuilder();
        Line(table.Columns.SelectMany((column, index) => suffixes[index].Select(suffix => column.Key + suffix)).Concat(table.Profile is null ? [] : ["profile"]));
        foreach (var row in rows)
            Line(
                row.SelectMany((parts, column) => suffixes[column].Select(suffix => parts.FirstOrDefault(part => part.Suffix == suffix).Value ?? ""))
                    .Concat(table.Profile is { } profile ? [profile] : []));
        return text.ToString();

        void Line(IEnumerable<string> fields) => text.Append(Csv.Line(fields));
    }

    // The heading first, then the rows.
    internal static List<string[]> Escaped(Table table, Func<string, string> escape) =>
    [
        [.. table.Columns.Select(column => escape(column.Header))],
        .. table.Rows.Select(row => row.Select(cell => escape(cell.ToString())).ToArray()),
    ];

    internal static int[] Widths(List<string[]> cells, int least = 1) =>
        [.. Enumerable.Range(0, cells[0].Length).Select(column => Math.Max(least, cells.Max(row => Width(row[column]))))];

    internal static IEnumerable<string> Aligned(Table table, string[] row, int[] widths) => row.Select((cell, column) =>
    {
        var padding = new string(' ', widths[column] - Width(cell));
        return table.Columns[column].Align == Align.Right ? padding + cell : cell + padding;
    });

    // Grapheme clusters, so that combining marks in label names do not shift columns.
    internal static int Width(string text) => new StringInfo(text).LengthInTextElements;

    private static string EscapeMarkdown(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            if (c is '\r' or '\n') escaped.Append(' ');
            else if (c is '\\' or '|' or '`' or '*' or '_' or '<' or '~') escaped.Append('\\').Append(c);
            else escaped.Append(c);
        }

        return escaped.ToString();
    }
}
