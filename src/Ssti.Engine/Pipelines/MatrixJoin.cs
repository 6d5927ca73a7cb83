namespace Ssti.Engine.Pipelines;

/// <summary>
/// Joins the matrices that meet in a stage: dimensions of the same name on equal values, all others as a product, the left one outermost.
/// </summary>
internal static class MatrixJoin
{
    /// <summary>What joining gave.</summary>
    /// <param name="Joined">The cells of both.</param>
    /// <param name="Unmatched">Cells of the right side that found no partner.</param>
    /// <param name="Conflict">A dimension whose cells of one name have different fields on the two sides, or null.</param>
    /// <param name="TooLarge">Whether there would be more cells than <see cref="MatrixReader.MaxCells"/>; then nothing was joined.</param>
    internal sealed record Result(Relation Joined, IReadOnlyList<MatrixCell> Unmatched, string? Conflict, bool TooLarge);

    /// <summary>Joins two relations.</summary>
    public static Result Join(Relation left, Relation right)
    {
        // Most stages have no matrix, or one on one side only.
        if (IsOne(right)) return new Result(left, [], null, TooLarge: false);
        if (IsOne(left)) return new Result(right, [], null, TooLarge: false);
        var shared = right.Dimensions.Where(left.Dimensions.Contains).ToList();
        var added = right.Dimensions.Where(d => !left.Dimensions.Contains(d)).ToList();
        string[] dimensions = [.. left.Dimensions, .. added];
        var byKey = right.Cells.GroupBy(cell => cell.KeyOf(shared)).ToDictionary(g => g.Key, g => g.ToList());
        var used = new HashSet<string>();
        var cells = new List<MatrixCell>();
        string? conflict = null;
        foreach (var cell in left.Cells)
        {
            var key = cell.KeyOf(shared);
            if (!byKey.TryGetValue(key, out var partners)) continue;
            used.Add(key);
            if (cells.Count + partners.Count > MatrixReader.MaxCells) return new Result(Relation.One, [], null, TooLarge: true);
            foreach (var partner in partners)
            {
                var values = new MatrixValue[dimensions.Length];
                for (var i = 0; i < left.Dimensions.Count; i++)
                {
                    var (mine, theirs) = (cell.Values[i], partner.Find(left.Dimensions[i]));
                    if (theirs is not null && !Agree(mine, theirs)) conflict ??= left.Dimensions[i];
                    values[i] = mine.Fields is null && theirs?.Fields is not null ? theirs : mine;
                }

                for (var i = 0; i < added.Count; i++) values[left.Dimensions.Count + i] = partner.Find(added[i])!;
                cells.Add(new MatrixCell(dimensions, values));
            }
        }

        var unmatched = byKey.Where(p => !used.Contains(p.Key)).SelectMany(p => p.Value).ToList();
        return new Result(new Relation(dimensions, cells), unmatched, conflict, TooLarge: false);
    }

    private static bool IsOne(Relation relation) => relation is { Dimensions.Count: 0, Cells.Count: 1 };

    // A cell may be spelled out in two stages, but then it must say the same.
    private static bool Agree(MatrixValue a, MatrixValue b) =>
        ReferenceEquals(a.Fields, b.Fields) || a.Fields is null || b.Fields is null
        || (a.Fields.Entries.Count == b.Fields.Entries.Count && a.Fields.Entries.All(e => (b.Fields[e.Key.Text] as Yaml.YamlScalar)?.Canonical is { } text && text == (e.Value as Yaml.YamlScalar)?.Canonical));
}
