using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Measures;

/// <summary>A measure asked for as a column.</summary>
/// <param name="Measure">Its name, as <c>metrics.json</c> and <c>measures.json</c> have it.</param>
/// <param name="Class">The class's name; null for all rows, and for each run's target where it is measured by class alone.</param>
/// <param name="Header">What stands above it; null for the measure's own words.</param>
public sealed record MeasuredColumn(string Measure, string? Class = null, string? Header = null)
{
    /// <summary>The column with its unit and definition, as the stages that measured it give them.</summary>
    internal DescribedColumn Describe(IReadOnlyList<MeasureSet> sets)
    {
        // Says what there is where nobody has it.
        _ = new MeasureGrid(sets, Measure).Described;
        var having = sets.Where(set => set.Measures.ContainsKey(Measure)).ToArray();
        if (Class is not null && !having.Any(set => set.ClassOf(Class) is not null && set.Measures[Measure].Classes.Count > 0))
        {
            var classes = having.Where(set => set.Measures[Measure].Classes.Count > 0).SelectMany(set => set.Labels).Distinct().ToArray();
            throw new ArgumentException(
                $"'{Measure}' has no class '{Class}'; "
                + $"{(classes.Length > 0 ? $"there are: {string.Join(", ", classes)}" : "it is measured of all rows alone")}");
        }

        var units = having.GroupBy(set => set.Measures[Measure].Unit).ToArray();
        if (units.Length > 1) throw new ArgumentException($"'{units[0].First().Name}' measures '{Measure}' in {units[0].Key}, "
            + $"and '{units[1].First().Name}' in {units[1].Key}: make a table for each");
        var known = EvaluationMeasures.All.FirstOrDefault(measure => measure.Name == Measure);
        var header = Header ?? known?.Header ?? Measure.Replace('_', ' ');
        return new DescribedColumn(
            this, Header is null && Class is not null ? $"{header} {Class}" : header, units[0].Key,
            string.Join(" | ", having.Select(set => set.Measures[Measure].Definition).Distinct()),
            known?.Format ?? Measures.Measure.FormatOf(units[0].Key), known?.Bounds);
    }
}

/// <summary>A column with what it says.</summary>
internal sealed record DescribedColumn(MeasuredColumn Column, string Header, string Unit, string Definition, NumberFormat Format, Interval? Known)
{
    /// <summary>Its name for programs.</summary>
    public string Key => Column.Class is null ? Column.Measure : $"{Column.Measure}_{Numbers.Key(Column.Class)}";

    /// <summary>The readings of those stages that measured it.</summary>
    public IReadOnlyList<Reading> Readings(IReadOnlyList<MeasureSet> sets) =>
        [.. sets.Where(set => set.Measures.ContainsKey(Column.Measure)).Select(set => set.Read(Column.Measure, Column.Class))];

    // A share lies between 0 and 1; a difference of shares need not.
    private Interval? Assumed(SeedSummary values) => Unit == "fraction" && values.Min >= 0 && values.Max <= 1 ? new Interval(0, 1) : null;

    /// <summary>The cell of a row's readings.</summary>
    public Cell Cell(IReadOnlyList<Reading> readings, SpreadKind spread)
    {
        if (readings.Count == 0) return TextCell.Empty;
        var values = readings.Select(reading => reading.Value).OfType<double>().ToArray();
        // A mean over fewer runs than were measured would be a lie.
        if (values.Length < readings.Count) return TextCell.Undefined;
        var summary = new SeedSummary(values);
        return new NumberCell(Format, summary.Mean, null, Spread.Of(summary, spread, readings[0].Interval95, Known ?? Assumed(summary)));
    }
}
