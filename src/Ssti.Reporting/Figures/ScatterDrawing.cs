using System.Globalization;
using ScottPlot;

namespace Ssti.Reporting.Figures;

/// <summary>Draws points and lines. The library knows no logarithmic axis: what is drawn is the logarithm, and the ticks say what it is of.</summary>
internal static class ScatterDrawing
{
    private const int MostNames = 12, LongestName = 28;
    private static readonly LinePattern[] Patterns = [LinePattern.Solid, LinePattern.Dashed, LinePattern.Dotted];

    public static void Add(Plot plot, ScatterFigure figure, Color[] palette)
    {
        foreach (var (index, series) in figure.Series.Index().Where(one => one.Item.Points.Count > 0))
        {
            var points = plot.Add.ScatterPoints(Xs(series, figure), [.. series.Points.Select(point => point.Y)], palette[index % palette.Length].WithAlpha(0.7));
            (points.LegendText, points.MarkerSize, points.MarkerShape) = (series.Name, index == 0 ? 3 : 6, MarkerShape.FilledCircle);
        }

        foreach (var (index, series) in figure.Lines.Index().Where(one => one.Item.Points.Count > 0))
        {
            var line = plot.Add.ScatterLine(Xs(series, figure), [.. series.Points.Select(point => point.Y)], Colors.Black);
            (line.LegendText, line.LineWidth, line.LinePattern) = (series.Name, 1.4f, Patterns[index % Patterns.Length]);
        }

        Named(plot, figure);
        if (figure.LogarithmicX) Ticks(plot, figure);
        if (figure.Series.Count + figure.Lines.Count > 1) plot.ShowLegend(Edge.Right);
    }

    private static double[] Xs(ScatterSeries series, ScatterFigure figure) =>
        [.. series.Points.Select(point => figure.LogarithmicX ? Math.Log10(point.X) : point.X)];

    private static void Named(Plot plot, ScatterFigure figure)
    {
        foreach (var point in figure.Series.SelectMany(series => series.Points).Where(point => point.Name is not null).Take(MostNames))
        {
            var name = point.Name!.Length <= LongestName ? point.Name : point.Name[..LongestName] + "…";
            var text = plot.Add.Text(name, figure.LogarithmicX ? Math.Log10(point.X) : point.X, point.Y);
            (text.LabelFontSize, text.LabelFontName, text.OffsetX, text.OffsetY) = (9, FigureFont.Family, 5, -4);
        }
    }

    private static void Ticks(Plot plot, ScatterFigure figure)
    {
        var xs = figure.Series.Concat(figure.Lines).SelectMany(series => series.Points).Select(point => point.X).ToArray();
        double[] decades = [.. Enumerable.Range((int)Math.Floor(Math.Log10(xs.Min())), (int)Math.Ceiling(Math.Log10(xs.Max())) - (int)Math.Floor(Math.Log10(xs.Min())) + 1)
            .Select(power => (double)power)];
        plot.Axes.Bottom.SetTicks(decades, [.. decades.Select(power => Math.Pow(10, power).ToString("0.###", CultureInfo.InvariantCulture))]);
    }
}
