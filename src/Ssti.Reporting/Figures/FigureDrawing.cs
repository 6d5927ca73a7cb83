using System.Globalization;
using System.Text.RegularExpressions;
using ScottPlot;

namespace Ssti.Reporting.Figures;

/// <summary>Draws figures, with ScottPlot: the same figure gives the same SVG, whatever was drawn before, under whatever culture.</summary>
public static partial class FigureDrawing
{
    // Okabe and Ito 2008: told apart also without red-green sight, and in print.
    private static readonly Color[] Palette = [.. new[] { 5, 6, 3, 1, 7, 2, 0, 4 }.Select(new ScottPlot.Palettes.ColorblindFriendly().GetColor)];

    private static readonly MarkerShape[] Markers =
        [MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond, MarkerShape.OpenCircle, MarkerShape.OpenSquare];

    /// <summary>The largest scale of a PNG: 5760 by 3600 pixels.</summary>
    public const int LargestScale = 8;

    // The library counts element ids and reads the current culture through the whole process: one drawing at a time.
    private static readonly Lock Drawing = new();

    /// <summary>The figure as SVG, texts as text.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="width">In CSS pixels.</param>
    /// <param name="height">In CSS pixels.</param>
    /// <exception cref="ArgumentException"><see cref="Figure.Problem"/>.</exception>
    public static string ToSvg(Figure figure, int width = 720, int height = 450) => Draw(figure, plot => Numbered(plot.GetSvgXml(width, height), width, height));

    /// <summary>The figure as PNG, by the same font and layout.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="scale">Pixels for each CSS pixel, from 1 to <see cref="LargestScale"/>.</param>
    /// <param name="width">In CSS pixels.</param>
    /// <param name="height">In CSS pixels.</param>
    /// <exception cref="ArgumentException"><see cref="Figure.Problem"/>, or the scale.</exception>
    /// <remarks>Not for results: pixels are computed with whatever vector units a processor has, and the same key must be the same bytes.</remarks>
    public static byte[] ToPng(Figure figure, int scale = 1, int width = 720, int height = 450)
    {
        if (scale is < 1 or > LargestScale) throw new ArgumentException($"the scale is from 1 to {LargestScale}, not {scale}", nameof(scale));
        return Draw(figure, plot =>
        {
            plot.ScaleFactor = scale;
            return plot.GetImageBytes(width * scale, height * scale, ImageFormat.Png);
        });
    }

    private static T Draw<T>(Figure figure, Func<Plot, T> render)
    {
        if (figure.Problem() is { } problem) throw new ArgumentException($"'{figure.Title}' cannot be drawn: {problem}", nameof(figure));
        lock (Drawing)
        {
            var culture = CultureInfo.CurrentCulture;
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            try
            {
                FigureFont.Install();
                using var plot = new Plot();
                Add(plot, figure);
                // Centred over the plot, which the legend makes narrower: a long line would begin outside of the picture.
                plot.Title(figure.Profile is null ? figure.Title : $"{figure.Title}\nprofile: {figure.Profile}", size: Math.Min(15, 15 * 72f / figure.Title.Length));
                plot.XLabel(figure.X, size: 13);
                plot.YLabel(figure.Y, size: 13);
                plot.Axes.Left.MinimumSize = 56;
                plot.Font.Set(FigureFont.Family);
                return render(plot);
            }
            finally
            {
                CultureInfo.CurrentCulture = culture;
            }
        }
    }

    private static void Add(Plot plot, Figure figure)
    {
        switch (figure)
        {
            case LineFigure lines: Lines(plot, lines); break;
            case BarFigure bars: Bars(plot, bars); break;
            case HistogramFigure histogram: Histogram(plot, histogram); break;
            case HeatMapFigure map: HeatMap(plot, map); break;
            case ScatterFigure scatter: ScatterDrawing.Add(plot, scatter, Palette); break;
            default: throw new ArgumentException($"no drawing for {figure.GetType().Name}", nameof(figure));
        }
    }

    private static void Lines(Plot plot, LineFigure figure)
    {
        foreach (var (index, series) in figure.Series.Index())
        {
            var points = series.Points.Index().Where(point => point.Item is not null).Select(point => (X: (double)point.Index, Point: point.Item!)).ToArray();
            if (points.Length == 0) continue;
            // Side by side, or the bars of two series hide one another.
            var shift = Shift(index, figure.Series.Count, 0.04);
            var color = ColorOf(series, index);
            var line = plot.Add.Scatter(points.Select(point => point.X + shift).ToArray(), points.Select(point => point.Point.Value).ToArray(), color);
            (line.LegendText, line.LineWidth, line.MarkerSize, line.MarkerShape) = (series.Name, 1.8f, 7, Markers[(series.Beside ?? index) % Markers.Length]);
            if (series.Beside is not null) line.LinePattern = LinePattern.Dashed;
            ErrorBars(plot, [.. points.Select(point => (point.X + shift, point.Point))], color);
        }

        Categories(plot, figure.Positions);
        Legend(plot, figure.Series.Count);
    }

    private static void Bars(Plot plot, BarFigure figure)
    {
        var width = 0.8 / figure.Series.Count;
        foreach (var (index, series) in figure.Series.Index())
        {
            var (shift, color) = (Shift(index, figure.Series.Count, width), ColorOf(series, index));
            var points = series.Points.Index().Where(point => point.Item is not null).Select(point => (point.Index + shift, Point: point.Item!)).ToArray();
            var bars = plot.Add.Bars(points.Select(point => new Bar
            {
                Position = point.Item1, Value = point.Point.Value, Size = width * 0.94, FillColor = color, LineWidth = 0,
            }).ToArray());
            bars.LegendText = series.Name;
            ErrorBars(plot, points, Colors.Black);
        }

        Categories(plot, figure.Positions);
        plot.Axes.Margins(bottom: figure.Series.Any(series => series.Points.Any(point => point?.Value < 0)) ? 0.05 : 0);
        Legend(plot, figure.Series.Count);
    }

    private static void Histogram(Plot plot, HistogramFigure figure)
    {
        foreach (var (index, series) in figure.Series.Index())
        {
            var width = (figure.High - figure.Low) / series.Counts.Count;
            var color = Palette[index % Palette.Length];
            var bars = plot.Add.Bars(series.Counts.Index().Where(bin => bin.Item != 0).Select(bin => new Bar
            {
                Position = figure.Low + ((bin.Index + 0.5) * width), Value = bin.Item, Size = width, FillColor = color.WithAlpha(figure.Series.Count > 1 ? 0.55 : 1), LineWidth = 0,
            }).ToArray());
            bars.LegendText = series.Name;
        }

        plot.Axes.Margins(bottom: figure.Series.Any(series => series.Counts.Any(count => count < 0)) ? 0.05 : 0);
        plot.Axes.SetLimitsX(figure.Low, figure.High);
        Legend(plot, figure.Series.Count);
    }

    private static void HeatMap(Plot plot, HeatMapFigure figure)
    {
        var values = new double[figure.Rows.Count, figure.Columns.Count];
        for (var row = 0; row < figure.Rows.Count; row++)
            for (var column = 0; column < figure.Columns.Count; column++) values[row, column] = figure.Values[row][column] ?? double.NaN;
        var map = plot.Add.Heatmap(values);
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        map.NaNCellColor = Colors.LightGray;
        var known = figure.Values.SelectMany(row => row).OfType<double>().ToArray();
        // A map of one value has no range of its own to colour.
        if (known.Min() == known.Max()) map.ManualRange = new(known.Min() - 0.5, known.Max() + 0.5);
        var scale = plot.Add.ColorBar(map);
        (scale.Label, scale.LabelStyle.FontSize) = (figure.Unit, 13);
        Categories(plot, figure.Columns);
        plot.Axes.Left.SetTicks([.. figure.Rows.Select((_, row) => (double)(figure.Rows.Count - 1 - row))], [.. figure.Rows]);
        plot.HideGrid();
        plot.Axes.Margins(0, 0);
    }

    // Of a single series the title speaks; the library would put a legend over its bars.
    private static void Legend(Plot plot, int series)
    {
        if (series > 1) plot.ShowLegend(Edge.Right);
        else plot.HideLegend();
    }

    private static Color ColorOf(FigureSeries series, int index)
    {
        var color = Palette[(series.Beside ?? index) % Palette.Length];
        return series.Beside is null ? color : color.WithAlpha(0.5);
    }

    private static void ErrorBars(Plot plot, IReadOnlyList<(double X, FigurePoint Point)> points, Color color)
    {
        var barred = points.Where(point => point.Point.Low is not null || point.Point.High is not null).ToArray();
        if (barred.Length == 0) return;
        plot.Add.Plottable(new ScottPlot.Plottables.ErrorBar(
            xs: [.. barred.Select(point => point.X)],
            ys: [.. barred.Select(point => point.Point.Value)],
            xErrorsNegative: null,
            xErrorsPositive: null,
            yErrorsNegative: [.. barred.Select(point => point.Point.Value - (point.Point.Low ?? point.Point.Value))],
            yErrorsPositive: [.. barred.Select(point => (point.Point.High ?? point.Point.Value) - point.Point.Value)])
        {
            Color = color, LineWidth = 1.2f, CapSize = 4,
        });
    }

    // Long names would run into each other side by side.
    private static void Categories(Plot plot, IReadOnlyList<string> names)
    {
        plot.Axes.Bottom.SetTicks([.. names.Select((_, index) => (double)index)], [.. names]);
        plot.Axes.SetLimitsX(-0.5, names.Count - 0.5);
        if (names.Sum(name => name.Length + 2) <= 90) return;
        (plot.Axes.Bottom.TickLabelStyle.Rotation, plot.Axes.Bottom.TickLabelStyle.Alignment) = (45, Alignment.MiddleLeft);
        // The library leaves room for one line. Six pixels a letter, aslant; below them stands what they are.
        plot.Axes.Bottom.MinimumSize = 40 + (float)(names.Max(name => name.Length) * 6 * Math.Sqrt(0.5));
    }

    private static double Shift(int index, int count, double width) => (index - ((count - 1) / 2.0)) * width;

    // Ids count through the life of the process; and a viewer without the font has others.
    private static string Numbered(string svg, int width, int height)
    {
        var ids = new Dictionary<string, string>();
        svg = Ids().Replace(svg, match => ids.TryGetValue(match.Value, out var id) ? id : ids[match.Value] = $"cl_{ids.Count}");
        return svg.Replace($"width=\"{width}\" height=\"{height}\">", $"width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">", StringComparison.Ordinal)
            .Replace($"font-family=\"{FigureFont.Family}\"", $"font-family=\"{FigureFont.Family}, Arial, sans-serif\"", StringComparison.Ordinal)
            .ReplaceLineEndings("\n") + "\n";
    }

    [GeneratedRegex(@"\bcl_[0-9a-f]+\b")]
    private static partial Regex Ids();
}
