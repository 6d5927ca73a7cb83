namespace Ssti.Reporting.Tables;

/// <summary>A place of a table that differs between two versions of it.</summary>
/// <param name="Row">The row's first cell; with a number behind it where several rows begin alike.</param>
/// <param name="Column">The column's heading.</param>
/// <param name="Before">What stood there; null when there was no such row or column.</param>
/// <param name="After">What stands there; null when there is none any more.</param>
public sealed record CellDifference(string Row, string Column, string? Before, string? After);

/// <summary>Compares two versions of a table, cell by cell: rows by their first cell, columns by their key.</summary>
public static class TableComparison
{
    /// <summary>What differs, in the order of the later table, what is only in the earlier one last.</summary>
    /// <remarks>Numbers are compared in full, also where both round to the same text: then both are given in full.</remarks>
    public static IReadOnlyList<CellDifference> Compare(Table? before, Table? after)
    {
        var (old, now) = (Cells(before), Cells(after));
        var found = new List<CellDifference>();
        foreach (var place in now.Keys.Concat(old.Keys.Where(place => !now.ContainsKey(place))))
        {
            var (a, b) = (old.GetValueOrDefault(place), now.GetValueOrDefault(place));
            if (a.Cell is null && b.Cell is null) continue;
            if (a.Cell is not null && b.Cell is not null && Exact(a.Cell) == Exact(b.Cell)) continue;
            var alike = a.Cell?.ToString() == b.Cell?.ToString();
            found.Add(new CellDifference(place.Row, b.Header ?? a.Header!, Show(a.Cell, alike), Show(b.Cell, alike)));
        }

        return found;
    }

    private static Dictionary<(string Row, string Column), (string? Header, Cell? Cell)> Cells(Table? table)
    {
        var cells = new Dictionary<(string, string), (string?, Cell?)>();
        if (table is null) return cells;
        var seen = new Dictionary<string, int>();
        foreach (var row in table.Rows)
        {
            var name = row.Count > 0 ? row[0].ToString() : "";
            var count = seen[name] = seen.GetValueOrDefault(name) + 1;
            if (count > 1) name = $"{name} ({count})";
            for (var column = 1; column < table.Columns.Count; column++) cells[(name, table.Columns[column].Key)] = (table.Columns[column].Header, row[column]);
        }

        return cells;
    }

    private static string? Show(Cell? cell, bool exact) => cell is null ? null : exact ? Exact(cell) : cell.ToString();

    private static string Exact(Cell cell) =>
        string.Join(" ", cell.Flatten().Select(part => part.Suffix.Length == 0 ? part.Value : $"{part.Suffix.TrimStart('_')} {part.Value}"));
}
