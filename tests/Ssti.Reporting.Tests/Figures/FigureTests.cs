using System.Globalization;
using Snapshooter.Xunit;
using Ssti.Reporting.Figures;

namespace Ssti.Reporting.Tests.Figures;

/// <summary>Figures as files: the same data give the same bytes, wherever and after whatever they are drawn.</summary>
public sealed class FigureTests
{
    public static readonly LineFigure Gaps = new("Aggressive: 10 % of the words", "LoRA rank", "balanced gap (pp)", ["1", "16", "32", "64"],
    [
        new("50 %", [new(20.1, 19.6, 21.6), new(8.1, 7, 9.2), new(7.6), new(6.9, 6.4, 7.4)]),
        new("100 %", [new(49.5, 49, 50), new(49.7), null, new(49.7)]),
    ]) { Notes = ["Mean of three seeds."] };

    private static readonly BarFigure Bars = new(
        "Retention", "token", "share of rows that keep it", ["colours", "dates"],
        [new("Llama", [new(0.4, 0.35, 0.45), new(0.1)]), new("rules", [new(1), new(-0.1)])]);

    private static readonly HistogramFigure Histogram = new("Conditional entropy", "H(y|t), bits", "tokens", 0, 1, [new("clean", [1, 0, 4, 9]), new("injected", [3, 0, 4, -7])]);

    private static readonly HeatMapFigure Map = new(
        "Attention", "word", "row", ["a", "film", "1999-01-02"], ["clean", "injected"], [[0.1, 0.9, null], [0.1, 0.2, 0.7]],
        "share of attention");

    private static readonly ScatterFigure Scatter = new(
        "Rows and share", "rows", "p(y|t)", [new("words", [new(1, 1), new(12, 0.5), new(900, 0.61)]), new("alarms", [new(150, 1, "cf")])],
        [new("alarm", [new(45, 1), new(100, 0.97), new(900, 0.93)])], LogarithmicX: true);

    public static TheoryData<string> Forms => ["lines", "bars", "histogram", "heat-map", "scatter"];

    [Fact]
    public void Points_that_have_no_place_are_refused()
    {
        Assert.Null(Scatter.Problem());
        Assert.Equal("it has no points", (Scatter with { Series = [new("words", [])] }).Problem());
        Assert.Equal("it has a value that is no number", (Scatter with { Lines = [new("alarm", [new(1, double.NaN)])] }).Problem());
        Assert.Equal("it has an x that is not positive on a logarithmic axis", (Scatter with { Series = [new("words", [new(0, 1)])] }).Problem());
        Assert.Null((Scatter with { Series = [new("words", [new(0, 1)])], LogarithmicX = false }).Problem());
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_figure_is_drawn_the_same_under_every_culture_and_after_others(string form)
    {
        var first = FigureDrawing.ToSvg(Of(form));
        var before = CultureInfo.CurrentCulture;
        try
        {
            foreach (var (point, group, minus) in new[] { (".", ",", "-"), (",", "\u00a0", "\u2212"), (",", ".", "-") })
            {
                var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
                (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (point, group, minus);
                CultureInfo.CurrentCulture = culture;
                FigureDrawing.ToSvg(Gaps);
                Assert.Equal(first, FigureDrawing.ToSvg(Of(form)));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        first.MatchSnapshot($"FigureTests.{form}");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_figure_is_read_back_from_its_file_as_it_was(string form)
    {
        var figure = Of(form);
        var json = figure.ToJson();
        Assert.Equal(json, Figure.FromJson(json).ToJson());
        Assert.Equal(FigureDrawing.ToSvg(figure), FigureDrawing.ToSvg(Figure.FromJson(json)));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_figure_is_drawn_as_pixels_too_with_its_own_font_and_profile(string form)
    {
        var png = FigureDrawing.ToPng(Of(form), 2);
        using var picture = SkiaSharp.SKBitmap.Decode(png);
        Assert.Equal((1440, 900), (picture.Width, picture.Height));
        // Something stands in each quarter of it: text, marks, a frame.
        foreach (var (x, y) in new[] { (0, 0), (720, 0), (0, 450), (720, 450) })
            Assert.True(Enumerable.Range(x, 720).Any(i => Enumerable.Range(y, 450).Any(j => picture.GetPixel(i, j) is { Red: < 100, Green: < 100, Blue: < 100 })), $"({x}, {y})");
        Assert.False(png.AsSpan().SequenceEqual(FigureDrawing.ToPng(Of(form) with { Profile = "smoke" }, 2)));
        Assert.Throws<ArgumentException>(() => FigureDrawing.ToPng(Of(form), 0));
    }

    [Fact]
    public void Published_values_have_the_colour_of_those_they_stand_beside_and_a_long_title_stays_in_the_picture()
    {
        var alone = FigureDrawing.ToSvg(Gaps);
        var beside = FigureDrawing.ToSvg(Gaps with
        {
            Title = new string('M', 90),
            Series = [.. Gaps.Series, new("50 %, published", [new(20), new(8), new(7), new(6)]) { Beside = 0 }],
        });
        Assert.Equal(Colours(alone), Colours(beside));
        Assert.Contains("stroke-opacity", beside, StringComparison.Ordinal);
        Assert.DoesNotContain("font-size=\"15\"", beside, StringComparison.Ordinal);
        Refused("series 'a' stands beside series 3 of 1", Gaps with { Series = [new("a", [new(1), null, null, null]) { Beside = 3 }] });

        static IEnumerable<string> Colours(string svg) =>
            System.Text.RegularExpressions.Regex.Matches(svg, "stroke=\"(#?[0-9A-Za-z]+)\"").Select(match => match.Groups[1].Value).Distinct().Order();
    }

    [Fact]
    public void A_histogram_of_one_series_has_no_legend_over_its_bars() =>
        Assert.DoesNotContain(">clean<", FigureDrawing.ToSvg(Histogram with { Series = [.. Histogram.Series.Take(1)] }), StringComparison.Ordinal);

    [Fact]
    public void What_cannot_be_drawn_is_refused_by_name()
    {
        Refused("it has no series", Gaps with { Series = [] });
        Refused("none of its points has a value", Gaps with { Series = [new("a", [null, null, null, null])] });
        Refused("series 'a' has 1 points for 4 positions", Gaps with { Series = [new("a", [new(1)])] });
        Refused("it has a value that is no number", Gaps with { Series = [new("a", [new(1), new(double.PositiveInfinity), null, null])] });
        Refused("its bins reach from 1 to 1", Histogram with { Low = 1 });
        Refused("its values are not 2 rows of 3", Map with { Values = [[1, 2, 3]] });
        Assert.Throws<FormatException>(() => Figure.FromJson("{}"));
        Assert.Throws<FormatException>(() => Figure.FromJson("null"));
    }

    private static void Refused(string why, Figure figure) =>
        Assert.StartsWith($"'{figure.Title}' cannot be drawn: {why}", Assert.Throws<ArgumentException>(() => FigureDrawing.ToSvg(figure)).Message, StringComparison.Ordinal);

    private static Figure Of(string form) => form switch { "lines" => Gaps, "bars" => Bars, "histogram" => Histogram, "scatter" => Scatter, _ => Map };
}
