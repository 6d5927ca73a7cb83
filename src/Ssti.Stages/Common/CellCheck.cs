using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>Whether the dimensions and values that parameters name are those of the cells an input takes from.</summary>
internal static class CellCheck
{
    /// <summary>The cells with some values.</summary>
    public static IReadOnlyList<InputCell> Matching(IReadOnlyList<InputCell> cells, IReadOnlyDictionary<string, string> where) =>
        [.. cells.Where(cell => where.All(pair => cell.Cell.GetValueOrDefault(pair.Key) == pair.Value))];

    /// <summary>The values of a dimension in the order of the pipeline; empty when no cell has it.</summary>
    public static IReadOnlyList<string> Values(IReadOnlyList<InputCell> cells, string dimension) =>
        [.. cells.Select(cell => cell.Cell.GetValueOrDefault(dimension)).OfType<string>().Distinct()];

    /// <summary>Why a dimension is none; null when some cell has it.</summary>
    public static string? NoDimension(IReadOnlyList<InputCell> cells, string dimension)
    {
        var known = cells.SelectMany(cell => cell.Cell.Keys).Distinct().ToArray();
        return known.Contains(dimension)
            ? null
            : $"no stage of the input has a matrix dimension '{dimension}'; there are: {(known.Length > 0 ? string.Join(", ", known) : "none")}";
    }

    /// <summary>Why no cell has these values: the first dimension or value that there is not.</summary>
    public static string None(IReadOnlyList<InputCell> cells, IReadOnlyDictionary<string, string> where)
    {
        foreach (var (dimension, value) in where)
        {
            if (NoDimension(cells, dimension) is { } none) return none;
            if (!Values(cells, dimension).Contains(value)) return $"'{dimension}' has no value '{value}'; it has: {string.Join(", ", Values(cells, dimension))}";
        }

        return $"no stage of the input has {MeasureGrid.Show(where)} together";
    }

    /// <summary>What is left open on one side alone, such as <c>seed 40</c>; null when both sides leave the same open.</summary>
    public static string? Unpaired(
        IReadOnlyList<InputCell> left, IReadOnlyDictionary<string, string> leftWhere, IReadOnlyList<InputCell> right, IReadOnlyDictionary<string, string> rightWhere)
    {
        var (here, there) = (Open(left, leftWhere), Open(right, rightWhere));
        return here.Except(there).Concat(there.Except(here)).FirstOrDefault();

        static string[] Open(IReadOnlyList<InputCell> cells, IReadOnlyDictionary<string, string> where) =>
            [.. cells.Select(cell => MeasureGrid.Show(cell.Cell.Where(pair => !where.ContainsKey(pair.Key)))).Distinct()];
    }
}
