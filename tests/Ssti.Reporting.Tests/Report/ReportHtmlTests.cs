using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Snapshooter.Xunit;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;
using Ssti.Reporting.Tables;
using Ssti.Reporting.Tests.Figures;
using static Ssti.Reporting.Tests.Report.ReportSamples;

namespace Ssti.Reporting.Tests.Report;

/// <summary>A report is one file that nothing written by others can break, of bounded size, and the same bytes everywhere.</summary>
public sealed partial class ReportHtmlTests
{
    [Fact]
    public void A_page_of_everything()
    {
        var html = ReportHtml.Of(Page());
        // The style has a test of its own; what stands around it is what changes with the code.
        (html[..html.IndexOf("<style>", StringComparison.Ordinal)] + html[html.IndexOf("</style>", StringComparison.Ordinal)..]).MatchSnapshot();
    }

    [Fact]
    public void Nothing_is_fetched_and_nothing_runs()
    {
        var html = ReportHtml.Of(Page());
        Assert.DoesNotMatch("(?i)<script|<link|<iframe|<object|<base|@import|javascript:", html);
        Assert.Contains($"content=\"{ReportHtml.Policy}\"", html);
        Assert.StartsWith("default-src 'none'", ReportHtml.Policy);
        Assert.DoesNotContain("script-src", ReportHtml.Policy);
        // Links within the page and pictures written out in it are all there is.
        Assert.All(References().Matches(html), match => Assert.Matches("^(#|data:image/png;base64,)", match.Groups[1].Value));
        // The name of a name space is all that looks like an address.
        Assert.All(Addresses().Matches(html), match => Assert.Equal("http://www.w3.org/2000/svg", match.Value));
    }

    [Theory]
    [InlineData("</script><img src=x onerror=alert(1)>")]
    [InlineData("\" onmouseover=\"alert(1)\" x=\"")]
    [InlineData("' onfocus='alert(1)' autofocus '")]
    [InlineData("</style></title></textarea><svg onload=alert(1)>")]
    [InlineData("<!--")]
    [InlineData("]]></text></svg><iframe srcdoc=x>")]
    public void No_text_of_others_becomes_markup(string text)
    {
        var html = ReportHtml.Of(Page(text));
        Assert.DoesNotMatch("(?i)<(img|script|iframe|textarea)[ >]|<svg onload|<!--", html);
        // Every tag is one that the page itself writes, with attributes in quotes and none that is an event's.
        Assert.All(Tags().Matches(html[html.IndexOf("</style>", StringComparison.Ordinal)..]), tag => Assert.Matches(WellFormed(), tag.Value));
        Assert.DoesNotMatch("(?i)<[^>]* on[a-z]+=(?![^<]*&quot;)", Quoted().Replace(html, "\"\""));
        Assert.Equal(Tags().Matches(ReportHtml.Of(Page("plain"))).Count, Tags().Matches(html).Count);
    }

    [Fact]
    public void What_a_browser_does_not_show_is_written_out()
    {
        var html = ReportHtml.Of(Page("a\u200bb\u202ec\0d\u00ade\ud800f"));
        Assert.Contains("a⟨U+200B⟩b⟨U+202E⟩c⟨U+0000⟩d⟨U+00AD⟩e⟨U+D800⟩f", html);
        Assert.DoesNotMatch("[\u200b\u202e\0\u00ad]", html);
        Assert.Contains("héllo 😀", ReportHtml.Of(Page("héllo 😀")));
    }

    [Fact]
    public void Ids_are_unique_and_whatever_points_to_one_finds_it()
    {
        var html = ReportHtml.Of(Page());
        string[] ids = [.. Ids().Matches(html).Select(match => match.Groups[1].Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        // Drawn twice, the drawing has the same ids twice in its own file.
        Assert.Contains(ids, id => id == "figure-1-cl_0");
        Assert.Contains(ids, id => id == "figure-2-cl_0");
        string[] pointed = [.. Pointers().Matches(html).Select(match => match.Groups[1].Value)];
        Assert.True(pointed.Length > 20);
        Assert.Empty(pointed.Except(ids));
    }

    [Fact]
    public void Headings_go_down_a_level_at_a_time_and_tables_say_what_heads_what()
    {
        var html = ReportHtml.Of(Page());
        int[] levels = [.. Headings().Matches(html).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Equal(1, levels[0]);
        Assert.Equal(1, levels.Count(level => level == 1));
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1, $"h{pair.Second} after h{pair.First}"));
        Assert.DoesNotContain("<th>", html);
        Assert.All(Regex.Matches(html, "<svg [^>]*>"), svg => Assert.Contains("role=\"img\" aria-label=\"", svg.Value));
    }

    [Fact]
    public void The_same_page_is_the_same_bytes_under_every_culture()
    {
        var first = ReportHtml.Of(Page());
        var before = CultureInfo.CurrentCulture;
        try
        {
            foreach (var (point, group, minus) in new[] { (",", "\u00a0", "\u2212"), (",", ".", "-") })
            {
                var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
                (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (point, group, minus);
                culture.NumberFormat.PercentDecimalSeparator = point;
                CultureInfo.CurrentCulture = culture;
                Assert.Equal(first, ReportHtml.Of(Page()));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void However_much_there_is_the_page_stays_below_two_megabytes_and_says_what_it_leaves_out()
    {
        var html = ReportHtml.Of(Huge());
        var size = Encoding.UTF8.GetByteCount(html);
        Assert.True(size <= ReportHtml.MostBytes, $"{size} bytes");
        // So large that it is worth having, and not cut to nothing.
        Assert.True(size > ReportHtml.MostBytes / 3, $"{size} bytes");
        foreach (var what in new[] { "claims left out", "doubts left out", "figures left out", "splits left out", "characters more)", "words more)" }) Assert.Contains(what, html);
        Assert.Matches(@"The first \d+ of 2000 stages", html);
        Assert.Matches(@"The first \d+ of 5000 rows", html);
        Assert.Contains("claim-1\"", html);
        Assert.Contains("figure-1\"", html);
    }

    [Fact]
    public void A_page_of_nothing_says_so()
    {
        var html = ReportHtml.Of(new ReportPage("Empty"));
        foreach (var none in new[] { "No claim:", "No table:", "No figure:", "No text with attention:", "No injected rows:", "No measurements." }) Assert.Contains(none, html);
        Assert.DoesNotContain("id=\"claims\"", html);
    }

    [Fact]
    public void Each_value_of_a_dimension_has_a_box_that_hides_its_rows()
    {
        var html = ReportHtml.Of(Page());
        foreach (var value in new[] { "d0v0", "d0v1", "d1v0", "d1v1" })
        {
            Assert.Single(Regex.Matches(html, $"<input type=\"checkbox\" id=\"{value}\" checked>"));
            Assert.Contains($"body:has(#{value}:not(:checked)) .{value}{{display:none}}", html);
            // Of the measurements and of where they come from.
            Assert.True(Regex.Count(html, $"<tr class=\"[^\"]*\\b{value}\\b") >= 4, value);
        }

        Assert.Contains("seed (30 values)", ReportHtml.Of(new ReportPage("t")
        {
            Origins = [
                .. Enumerable.Range(0, 30).SelectMany(
                    seed => new[] { "a", "b" }.Select(row => new ReportOrigin($"s@{row}-{seed}", "train", Cell(("row", row), ("seed", $"{seed}")))))],
        }));
    }

    [Theory]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' onload='x()'><script>x()</script><rect width='1' height='1' onclick='x()' style='fill:url(http://a)'/></svg>", "rect")]
    [InlineData(
        "<svg xmlns='http://www.w3.org/2000/svg'><foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject><a "
        + "href='javascript:x()'><text>y</text></a><g/></svg>",
        "g")]
    [InlineData(
        "<svg xmlns='http://www.w3.org/2000/svg'><style>main{display:none}</style><image href='http://a/b.png'/><image "
        + "href='data:image/svg+xml;base64,AA=='/><use href='http://a#b'/></svg>",
        "image")]
    [InlineData(
        "<svg xmlns='http://www.w3.org/2000/svg'><rect fill='url(http://a)' stroke='u\\72l(http://a)' clip-path='url(#a b)' id='a\"b'/><set "
        + "attributeName='x'/><animate/></svg>",
        "rect")]
    public void Of_a_drawing_only_what_draws_is_kept(string svg, string kept)
    {
        var inset = SvgInset.Of(svg, "f-", "A \"label\"");
        Assert.DoesNotMatch(
            "(?i)script|onload|onclick|style|foreignObject|http://a|javascript|url|svg\\+xml|animate|<set|<a[ >]",
            inset.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
        Assert.Contains($"<{kept}", inset);
        Assert.Contains("aria-label=\"A &quot;label&quot;\"", inset);
    }

    [Theory]
    [InlineData("no xml")]
    [InlineData("<html/>")]
    [InlineData("<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&a;</text></svg>")]
    public void What_is_no_drawing_is_said_and_the_rest_of_the_page_stays(string svg)
    {
        Assert.Throws<FormatException>(() => SvgInset.Of(svg, "f-", "label"));
        var html = ReportHtml.Of(Page() with { Figures = [new("gap", Cell(), new(FigureTests.Gaps, svg))] });
        Assert.Contains("The drawing cannot be shown", html);
        Assert.Contains("The numbers drawn", html);
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]*)\"")]
    private static partial Regex References();

    [GeneratedRegex("https?://[^\"<> ]*")]
    private static partial Regex Addresses();

    [GeneratedRegex("<[a-zA-Z/!][^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("^<(/[a-zA-Z0-9]+|[a-zA-Z0-9]+( [a-zA-Z0-9-]+(=\"[^\"<>]*\")?)* ?/?)>$")]
    private static partial Regex WellFormed();

    [GeneratedRegex("\"[^\"<>]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(" id=\"([^\"]+)\"")]
    private static partial Regex Ids();

    [GeneratedRegex("(?:href=\"#|url\\(#|aria-labelledby=\")([^\")]+)")]
    private static partial Regex Pointers();

    [GeneratedRegex("<h([1-6])[ >]")]
    private static partial Regex Headings();
}
