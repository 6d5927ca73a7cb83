using System.Text;

namespace Ssti.Reporting.Tables;

/// <summary>A <see cref="Table"/> as plain text for a terminal or a log: columns aligned by spaces, a rule under the heading, no colours.</summary>
/// <remarks>
/// Without a width, or where it fits, a row is a line. What is wider than the width has its headings wrapped first, then its cells as well (between the
/// parts of a cell, never inside a number), and what does not fit even so is turned: each row becomes a block with a line for each column.
/// No line is longer than the width but one that holds a single unbreakable word.
/// </remarks>
public static class TableConsole
{
    private const string Gap = "  ";

    /// <summary>Writes the table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="width">The columns of the terminal; null where nobody wraps, such as a pipe or a file.</param>
    public static string ToConsole(this Table table, int? width = null)
    {
        var cells = TableText.Escaped(table, text => text);
        var natural = TableText.Widths(cells);
        var text = new StringBuilder();
        Words(text, table.Title, width, "");
        text.Append('\n');
        if (width is not { } limit || Total(natural) <= limit) Grid(text, table, cells, natural);
        else if (Fit(cells, natural, limit) is { } widths) Grid(text, table, cells, widths);
        else Blocks(text, table, cells, limit);

        if (table.Told.Any()) text.Append('\n');
        foreach (var note in table.Told) Words(text, note, width, Gap);
        return text.ToString();
    }

    private static int Total(int[] widths) => widths.Sum() + (Gap.Length * (widths.Length - 1));

    /// <summary>What each column needs at least: its longest part, in the heading and (unless they stay whole) in the cells.</summary>
    private static int[] LeastWidths(List<string[]> cells, bool headingOnly) => [.. Enumerable.Range(0, cells[0].Length).Select(column => Math.Max(
        Parts(cells[0][column]).Max(TableText.Width),
        cells.Skip(1).Select(row => headingOnly ? TableText.Width(row[column]) : Parts(row[column]).Max(TableText.Width)).DefaultIfEmpty(1).Max()))];

    /// <summary>Widths that wrap headings alone where that is enough, and cells too where it is not; null where nothing is.</summary>
    private static int[]? Fit(List<string[]> cells, int[] natural, int limit)
    {
        var headings = LeastWidths(cells, headingOnly: true);
        if ((Narrow(natural, headings, limit) ?? Narrow(headings, LeastWidths(cells, headingOnly: false), limit)) is not { } widths) return null;
        // What breaks earlier than at the last column leaves room that nobody needs.
        return [.. widths.Select((width, column) => cells.Max(row => Wrap(row[column], width).Max(TableText.Width)))];
    }

    /// <summary>Takes from the widest column that can give, one at a time, until all fit; null when they cannot.</summary>
    private static int[]? Narrow(int[] natural, int[] least, int limit)
    {
        if (Total(least) > limit) return null;
        var widths = (int[])natural.Clone();
        while (Total(widths) > limit)
        {
            var widest = Enumerable.Range(0, widths.Length).Where(column => widths[column] > least[column]).MaxBy(column => widths[column]);
            widths[widest]--;
        }

        return widths;
    }

    private static void Grid(StringBuilder text, Table table, List<string[]> cells, int[] widths)
    {
        for (var row = 0; row < cells.Count; row++)
        {
            var wrapped = cells[row].Select((cell, column) => Wrap(cell, widths[column])).ToArray();
            var lines = wrapped.Max(cell => cell.Count);
            for (var line = 0; line < lines; line++)
            {
                // A heading stands on its rule; a cell begins on its row's first line.
                var at = line;
                string[] shown = [.. wrapped.Select(cell => row == 0 ? cell.ElementAtOrDefault(at - lines + cell.Count) ?? "" : cell.ElementAtOrDefault(at) ?? "")];
                text.Append(string.Join(Gap, TableText.Aligned(table, shown, widths)).TrimEnd()).Append('\n');
            }

            if (row == 0) text.AppendJoin(Gap, widths.Select(width => new string('─', width))).Append('\n');
        }
    }

    private static void Blocks(StringBuilder text, Table table, List<string[]> cells, int limit)
    {
        // Headings give way to the longest part of a cell, down to their own.
        var (widest, longest) = (cells[0].Max(TableText.Width), cells[0].SelectMany(Parts).Max(TableText.Width));
        var values = cells.Skip(1).SelectMany(row => row.Skip(1)).SelectMany(Parts).Select(TableText.Width).DefaultIfEmpty(1).Max();
        var left = Math.Clamp(limit - (2 * Gap.Length) - values, longest, widest);
        var right = Math.Max(1, limit - left - (2 * Gap.Length));
        for (var row = 1; row < cells.Count; row++)
        {
            if (row > 1) text.Append('\n');
            Words(text, $"{cells[0][0]}: {cells[row][0].Trim()}", limit, Gap);
            for (var column = 1; column < table.Columns.Count; column++)
            {
                if (cells[row][column].Length == 0) continue;
                var (heads, shown) = (Wrap(cells[0][column], left), Wrap(cells[row][column], right));
                for (var line = 0; line < Math.Max(heads.Count, shown.Count); line++)
                {
                    var head = heads.ElementAtOrDefault(line) ?? "";
                    text.Append($"{Gap}{head}{new string(' ', Math.Max(0, left - TableText.Width(head)))}{Gap}{shown.ElementAtOrDefault(line)}".TrimEnd()).Append('\n');
                }
            }
        }
    }

    private static void Words(StringBuilder text, string words, int? width, string hang)
    {
        if (width is not { } limit)
        {
            text.Append(words).Append('\n');
            return;
        }

        var first = true;
        foreach (var line in Wrap(words, limit, hang.Length))
        {
            text.Append(first ? "" : hang).Append(line).Append('\n');
            first = false;
        }
    }

    /// <summary>Lines of at most a width, but for a part that is longer by itself. Lines after the first have <paramref name="hang"/> less.</summary>
    private static List<string> Wrap(string text, int width, int hang = 0)
    {
        if (TableText.Width(text) <= width) return [text];
        var lines = new List<string>();
        var line = "";
        foreach (var part in Parts(text))
        {
            var longer = line.Length == 0 ? part : $"{line} {part}";
            if (line.Length > 0 && TableText.Width(longer) > width - (lines.Count > 0 ? hang : 0))
            {
                lines.Add(line);
                line = part;
            }
            else
            {
                line = longer;
            }
        }

        lines.Add(line);
        return lines;
    }

    /// <summary>What a line may be broken between: words, but a number keeps its unit and its name. The indent of a first word stays with it.</summary>
    private static List<string> Parts(string text)
    {
        var parts = new List<string>();
        foreach (var word in text.Split(' '))
        {
            var before = parts.Count > 0 ? parts[^1] : null;
            var unit = before is { Length: > 0 } && char.IsAsciiDigit(before[^1]) && (word.StartsWith('%') || word.StartsWith("pp", StringComparison.Ordinal));
            var named = before is not null && before.EndsWith(':') && word.Length > 0 && char.IsAsciiDigit(word[0]);
            if (unit || named || (before is not null && before.Trim().Length == 0)) parts[^1] += $" {word}";
            else parts.Add(word);
        }

        return parts;
    }
}
