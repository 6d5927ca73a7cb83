using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Report;

/// <summary>What the cells of one stage measured, as a table: a row a cell, a column a measure, with intervals; the columns have the definitions.</summary>
internal static class MeasureTable
{
    /// <summary>The table.</summary>
    /// <param name="sets">The cells of one stage.</param>
    public static Table Of(IReadOnlyList<MeasureSet> sets)
    {
        string[] dimensions = [.. sets.SelectMany(set => set.Cell.Keys).Distinct()];
        var measures = new OrderedDictionary<string, NamedMeasure>();
        foreach (var (name, measure) in sets.SelectMany(set => set.Measures)) measures.TryAdd(name, measure);
        List<Column> columns = dimensions.Length == 0 ? [new("stage", "stage", Align.Left)]
            : [.. dimensions.Select(dimension => new Column($"d_{dimension}", dimension, Align.Left))];
        columns.AddRange(measures.Select(one => new Column(one.Key, one.Key, Align.Right, one.Value.Unit, one.Value.Definition)));
        var reasons = new HashSet<string>();
        var rows = sets.Select(set => (IReadOnlyList<Cell>)
        [
            .. dimensions.Length == 0 ? [new TextCell(set.Name)] : dimensions.Select(dimension => new TextCell(set.Cell.GetValueOrDefault(dimension, ""))),
            .. measures.Keys.Select(name => Show(set, name, reasons)),
        ]).ToArray();
        var byClass = sets.Any(set => set.Measures.Values.Any(measure => measure.Whole is null))
            ? "Of a measure by class: that of the target; without a target each class's, by number." : null;
        return new Table("", columns, rows,
        [
            "In brackets: the 95 % interval over the rows of one cell, where one is known.", .. byClass is null ? Array.Empty<string>() : [byClass],
            .. reasons.Order(StringComparer.Ordinal).Select(reason => $"–: {reason}."),
        ]);
    }

    private static Cell Show(MeasureSet set, string name, HashSet<string> reasons)
    {
        if (!set.Measures.TryGetValue(name, out var measure)) return TextCell.Empty;
        if (measure.Whole is { } whole) return Show(whole, name, measure.Unit, reasons);
        return set.Target is { } target && target < measure.Classes.Count
            ? Show(measure.Classes[target], name, measure.Unit, reasons)
            : new ListCell([.. measure.Classes.Select((reading, label) => new NamedCell(Numbers.Exact(label), Show(reading, name, measure.Unit, reasons)))]);
    }

    private static Cell Show(Reading reading, string name, string unit, HashSet<string> reasons)
    {
        var spread = reading.Interval95 is { } interval ? new Spread(SpreadKind.Confidence, interval.Low, interval.High) : null;
        if (reading.Value is { } value) return new NumberCell(Measure.FormatOf(unit), value, null, spread);
        reasons.Add($"{name} has no value: {reading.Reason ?? "no reason is given"}");
        return TextCell.Undefined;
    }
}
