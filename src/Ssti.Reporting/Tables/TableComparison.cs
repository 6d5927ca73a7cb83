namespace Ssti.Reporting.Tables;

/// <summary>A place of a table that is not the same in all versions of it.</summary>
/// <param name="Row">The row's first cell; with a number behind it where several rows begin alike.</param>
/// <param name="Column">The column's heading.</param>
/// <param name="Values">What stands there in each version; null where there is no such row or column.</param>
public sealed record CellDifference(string Row, string Column, IReadOnlyList<string?> Values);

/// <summary>Compares versions of a table, cell by cell: rows by their first cell, columns by their key.</summary>
public static class TableComparison
{
    /// <summary>What differs, in the order of the last version, what it lacks at the end.</summary>
    /// <remarks>Numbers are compared in full, also where they round to the same text: then they are given in full.</remarks>
    public static IReadOnlyList<CellDifference> Compare(IReadOnlyList<Table?> versions)
    {
        var cells = versions.Select(Cells).ToArray();
        var found = new List<CellDifference>();
        foreach (var place in cells.Reverse().SelectMany(version => version.Keys).Distinct())
        {
            var (there, headers) = (cells.Select(version => version.GetValueOrDefault(place).Cell).ToArray(), cells.Select(version => version.GetValueOrDefault(place).Header));
            if (there.Select(cell => cell is null ? null : Exact(cell)).Distinct().Count() == 1) continue;
            // Two that differ must not look alike.
            var alike = there.OfType<Cell>().GroupBy(cell => cell.ToString()).Any(same => same.Select(Exact).Distinct().Count() > 1);
            found.Add(new CellDifference(place.Row, headers.Last(header => header is not null)!, [.. there.Select(cell => Show(cell, alike))]));
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
