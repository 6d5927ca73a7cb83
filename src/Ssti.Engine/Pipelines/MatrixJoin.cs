using System.Runtime.CompilerServices;

namespace Ssti.Engine.Pipelines;

/// <summary>
/// Joins the matrices that meet in a stage: dimensions of the same name on equal values, all others as a product, the left one outermost.
/// </summary>
internal static class MatrixJoin
{
    /// <summary>What joining gave.</summary>
    /// <param name="Joined">The cells of both.</param>
    /// <param name="Unmatched">Cells of the right side that found no partner.</param>
    /// <param name="Conflict">The first cells of one name that say different things on the two sides, or null.</param>
    /// <param name="TooLarge">Whether there would be more cells than <see cref="MatrixReader.MaxCells"/>; then nothing was joined.</param>
    internal sealed record Result(Relation Joined, IReadOnlyList<MatrixCell> Unmatched, MatrixConflict? Conflict, bool TooLarge);

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
        MatrixConflict? conflict = null;
        // The same two cells meet in many pairs, and what they hold may be long.
        var compared = new Dictionary<(MatrixValue, MatrixValue), string?>(ReferencePairs.Instance);
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
                    if (theirs is not null && Difference(mine, theirs) is { } field) conflict ??= new MatrixConflict(left.Dimensions[i], mine, theirs, field);
                    values[i] = mine.Fields is null && theirs?.Fields is not null ? theirs : mine;
                }

                for (var i = 0; i < added.Count; i++) values[left.Dimensions.Count + i] = partner.Find(added[i])!;
                cells.Add(new MatrixCell(dimensions, values));
            }
        }

        var unmatched = byKey.Where(p => !used.Contains(p.Key)).SelectMany(p => p.Value).ToList();
        return new Result(new Relation(dimensions, cells), unmatched, conflict, TooLarge: false);

        string? Difference(MatrixValue mine, MatrixValue theirs)
        {
            if (!compared.TryGetValue((mine, theirs), out var field)) compared[(mine, theirs)] = field = Differing(mine, theirs);
            return field;
        }
    }

    private static bool IsOne(Relation relation) => relation is { Dimensions.Count: 0, Cells.Count: 1 };

    // A cell may be spelled out in two stages, but then it must say the same. The first field that does not, or null.
    private static string? Differing(MatrixValue a, MatrixValue b)
    {
        if (a.Fields is null || b.Fields is null || ReferenceEquals(a.Fields, b.Fields)) return null;
        return a.Fields.Entries.Concat(b.Fields.Entries).Select(entry => entry.Key.Text)
            .FirstOrDefault(field => a.Fields[field] is not { } mine || b.Fields[field] is not { } theirs || !mine.Says(theirs));
    }

    private sealed class ReferencePairs : IEqualityComparer<(MatrixValue, MatrixValue)>
    {
        public static readonly ReferencePairs Instance = new();

        public bool Equals((MatrixValue, MatrixValue) x, (MatrixValue, MatrixValue) y) => ReferenceEquals(x.Item1, y.Item1) && ReferenceEquals(x.Item2, y.Item2);

        public int GetHashCode((MatrixValue, MatrixValue) pair) => HashCode.Combine(RuntimeHelpers.GetHashCode(pair.Item1), RuntimeHelpers.GetHashCode(pair.Item2));
    }
}

/// <summary>Two cells of one name that say different things.</summary>
internal sealed record MatrixConflict(string Dimension, MatrixValue Left, MatrixValue Right, string Field);
