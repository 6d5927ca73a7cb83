using System.Globalization;
using System.Text.RegularExpressions;
using Ssti.Reporting.Report;

namespace Ssti.Reporting.Tests.Report;

/// <summary>The colours of a page can be read: contrast of WCAG 2.1, level AA, in light and in dark.</summary>
public sealed partial class ReportStyleTests
{
    private const double Least = 4.5;

    [Theory]
    [InlineData("ink", "paper")]
    [InlineData("ink", "soft")]
    [InlineData("ink", "box")]
    [InlineData("dim", "paper")]
    [InlineData("dim", "soft")]
    [InlineData("dim", "box")]
    [InlineData("link", "paper")]
    [InlineData("link", "soft")]
    [InlineData("good", "good-bg")]
    [InlineData("bad", "bad-bg")]
    [InlineData("bad", "paper")]
    [InlineData("open", "open-bg")]
    [InlineData("open", "paper")]
    public void Text_stands_out_from_what_is_behind_it(string text, string behind)
    {
        foreach (var colours in Schemes()) Assert.True(Contrast(colours[text], colours[behind]) >= Least, $"{text} on {behind}: {Contrast(colours[text], colours[behind])}");
    }

    [Fact]
    public void A_word_of_the_most_attention_can_still_be_read()
    {
        var css = ReportHtml.Of(new ReportPage("t"));
        var alpha = double.Parse(Deepest().Match(css).Groups[1].Value, CultureInfo.InvariantCulture);
        foreach (var colours in Schemes())
        {
            double[] mixed = [.. colours["heat"].Zip(colours["paper"], (heat, paper) => (alpha * heat) + ((1 - alpha) * paper))];
            Assert.True(Contrast(colours["ink"], mixed) >= Least, $"{Contrast(colours["ink"], mixed)}");
        }
    }

    private static IReadOnlyList<Dictionary<string, double[]>> Schemes()
    {
        var blocks = Roots().Matches(ReportHtml.Of(new ReportPage("t"))).Select(match => match.Value).ToArray();
        // Light, dark, and print, which is light again.
        Assert.Equal(3, blocks.Length);
        return [.. blocks.Select(block => Variables().Matches(block).ToDictionary(match => match.Groups[1].Value, match => Colour(match.Groups[2].Value.Trim())))];
    }

    private static double[] Colour(string text) => text.StartsWith('#')
        ? [.. Enumerable.Range(0, 3).Select(part => (double)Convert.ToInt32(text.Length == 4 ? new string(text[1 + part], 2) : text.Substring(1 + (2 * part), 2), 16))]
        : [.. text.Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture))];

    private static double Contrast(double[] a, double[] b)
    {
        var (light, dark) = (Math.Max(Luminance(a), Luminance(b)), Math.Min(Luminance(a), Luminance(b)));
        return (light + 0.05) / (dark + 0.05);
    }

    private static double Luminance(double[] colour)
    {
        double[] linear = [.. colour.Select(part => part / 255).Select(part => part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4))];
        return (0.2126 * linear[0]) + (0.7152 * linear[1]) + (0.0722 * linear[2]);
    }

    [GeneratedRegex(@":root \{[^}]*\}")]
    private static partial Regex Roots();

    [GeneratedRegex(@"--([a-z-]+): ([^;]+);")]
    private static partial Regex Variables();

    [GeneratedRegex(@"\.w10 \{ background: rgb\(var\(--heat\) / (\.\d+)\)")]
    private static partial Regex Deepest();
}
