using System.Globalization;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Report;

/// <summary>The numbers of a figure as a table, for those who do not see it and those who want to read them.</summary>
internal static class FigureTable
{
    /// <summary>The numbers.</summary>
    public static Table Of(Figure figure) => figure switch
    {
        LineFigure lines => Series(figure, lines.Positions, lines.Series),
        BarFigure bars => Series(figure, bars.Positions, bars.Series),
        HistogramFigure histogram => Bins(histogram),
        HeatMapFigure map => new Table(
            figure.Title, [new("row", figure.Y, Align.Left), .. map.Columns.Select((name, at) => new Column($"c{at}", name))],
            [.. map.Rows.Zip(map.Values, (name, values) => (IReadOnlyList<Cell>)
            [
                new TextCell(name), .. values.Select(value => value is { } known ? Short(known) : TextCell.Undefined),
            ])], []),
        ScatterFigure scatter => new Table(
            figure.Title, [new("name", "point", Align.Left), new("series", "series", Align.Left), new("x", figure.X), new("y", figure.Y)],
            [.. scatter.Series.SelectMany(series => series.Points.Where(point => point.Name is not null).Select(point => (IReadOnlyList<Cell>)
                [new TextCell(point.Name!), new TextCell(series.Name), Short(point.X), Short(point.Y)]))], ["Points without a name are left out; figure.json has them all."]),
        _ => new Table(figure.Title, [new("form", "form", Align.Left)], [], []),
    };

    private static Table Series(Figure figure, IReadOnlyList<string> positions, IReadOnlyList<FigureSeries> series) => new(
        figure.Title, [new("x", figure.X, Align.Left), .. series.Select((one, at) => new Column($"s{at}", one.Name))],
        [.. positions.Select((position, at) => (IReadOnlyList<Cell>)[new TextCell(position), .. series.Select(one => Point(one.Points[at]))])], []);

    private static Table Bins(HistogramFigure histogram)
    {
        var bins = histogram.Series.Max(series => series.Counts.Count);
        var width = (histogram.High - histogram.Low) / bins;
        return new Table(
            histogram.Title, [new("bin", histogram.X, Align.Left), .. histogram.Series.Select((one, at) => new Column($"s{at}", one.Name))],
            [.. Enumerable.Range(0, bins).Select(bin => (IReadOnlyList<Cell>)
            [
                new TextCell($"{Short(histogram.Low + (bin * width))} to {Short(histogram.Low + ((bin + 1) * width))}"),
                .. histogram.Series.Select(series => bin < series.Counts.Count ? Short(series.Counts[bin]) : TextCell.Undefined),
            ])], []);
    }

    private static TextCell Point(FigurePoint? point) => point is null ? TextCell.Undefined
        : point is { Low: { } low, High: { } high } ? new TextCell($"{Short(point.Value)} [{Short(low)}–{Short(high)}]") : Short(point.Value);

    private static TextCell Short(double value) => new(value.ToString("0.####", CultureInfo.InvariantCulture));
}
