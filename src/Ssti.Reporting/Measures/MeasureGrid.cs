using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Measures;

/// <summary>Readings of one measure over an experiment's grid: picked by the values of dimensions, and summarised over the rest, such as seeds.</summary>
/// <param name="sets">What was measured, one a cell of the grid.</param>
/// <param name="measure">The measure.</param>
/// <param name="label">The class of a measure by class; null: each set's target.</param>
public sealed class MeasureGrid(IReadOnlyList<MeasureSet> sets, string measure, string? label = null)
{
    /// <summary>The measure's unit and definition.</summary>
    /// <exception cref="ArgumentException">No set has it.</exception>
    public NamedMeasure Described => sets.Select(set => set.Measures.GetValueOrDefault(measure)).OfType<NamedMeasure>().FirstOrDefault()
        ?? throw new ArgumentException($"no stage measured '{measure}'; there are: "
            + $"{string.Join(", ", sets.SelectMany(set => set.Measures.Keys).Distinct().Order(StringComparer.Ordinal))}");

    /// <summary>The values of a dimension, in the order of the pipeline.</summary>
    /// <exception cref="ArgumentException">No set has the dimension.</exception>
    public IReadOnlyList<string> Values(string dimension)
    {
        string[] values = [.. sets.Select(set => set.Cell.GetValueOrDefault(dimension)).OfType<string>().Distinct()];
        return values.Length > 0 ? values : throw new ArgumentException(
            $"no stage has a matrix dimension '{dimension}'; there are: {Names()}");
    }

    /// <summary>The readings of the cells with some values, with their other dimensions.</summary>
    /// <exception cref="ArgumentException">There is no such cell, or a reading has no value; says why.</exception>
    public IReadOnlyList<GridRun> Pick(IReadOnlyDictionary<string, string> where)
    {
        foreach (var dimension in where.Keys) Values(dimension);
        var picked = Matching(where).ToArray();
        if (picked.Length == 0)
        {
            var there = where.Keys.Select(key => $"{key}: {string.Join(", ", Values(key))}");
            throw new ArgumentException($"no stage has {Show(where)}; dimension values: {string.Join("; ", there)}");
        }

        return [.. picked.Select(set =>
        {
            var reading = set.Read(measure, label);
            return new GridRun(
                Show(set.Cell.Where(pair => !where.ContainsKey(pair.Key))),
                reading.Value ?? throw new ArgumentException($"'{set.Name}' has no value of '{measure}': {reading.Reason}"), reading.Interval95);
        })];
    }

    /// <summary>The same over runs, or null where there is no such cell.</summary>
    public SeedSummary? Summary(IReadOnlyDictionary<string, string> where) =>
        Matching(where).Any() ? new SeedSummary([.. Pick(where).Select(pick => pick.Value)]) : null;

    /// <summary>Dimensions and their values in words.</summary>
    public static string Show(IEnumerable<KeyValuePair<string, string>> cell) => string.Join(", ", cell.Select(pair => $"{pair.Key} {pair.Value}"));

    private IEnumerable<MeasureSet> Matching(IReadOnlyDictionary<string, string> where) =>
        sets.Where(set => where.All(pair => set.Cell.GetValueOrDefault(pair.Key) == pair.Value));

    private string Names() => string.Join(", ", sets.SelectMany(set => set.Cell.Keys).Distinct()) is { Length: > 0 } names ? names : "none";
}

/// <summary>A reading among those picked.</summary>
/// <param name="Others">The values of the dimensions that were left open, such as <c>seed 40</c>: what pairs it with its like.</param>
/// <param name="Value">The value.</param>
/// <param name="Interval95">Its own 95 % interval, over what it was counted or made of; null where none is known.</param>
public sealed record GridRun(string Others, double Value, Interval? Interval95 = null);
