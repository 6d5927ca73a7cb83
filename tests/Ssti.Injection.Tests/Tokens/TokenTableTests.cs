using Ssti.Injection.Tokens;

namespace Ssti.Injection.Tests.Tokens;

public sealed class TokenTableTests
{
    [Fact]
    public void Dates_are_every_day_of_the_years()
    {
        var dates = TokenTable.Dates(1900, 2100);
        Assert.Equal(73414, dates.Count);
        Assert.Equal(("1900-01-01", "1900-03-01", "2100-12-31"), (dates.Text(0), dates.Text(59), dates.Text(73413)));
        Assert.Equal("999-12-31", TokenTable.Dates(999, 1000).Text(364));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(2000, 1999)]
    [InlineData(1, 10000)]
    public void A_range_without_dates_is_refused(int from, int to) => Assert.Throws<InjectionException>(() => TokenTable.Dates(from, to));

    [Fact]
    public void A_file_is_read_as_Python_reads_it()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "\ufeffone\r\n  two words \u001c\n\n \t \rthree\u0085\n\u2028four\u2028five");
            var tokens = TokenTable.ReadLines(path);
            Assert.Equal(["one", "two words", "three", "four\u2028five"], Enumerable.Range(0, tokens.Count).Select(tokens.Text));
            File.WriteAllBytes(path, [0x61, 0xff]);
            Assert.StartsWith($"the token file {Path.GetFileName(path)}", Assert.Throws<InjectionException>(() => TokenTable.ReadLines(path)).Message);
            File.WriteAllText(path, "\n \n");
            Assert.Contains("there are no tokens", Assert.Throws<InjectionException>(() => TokenTable.ReadLines(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void An_invisible_token_is_refused() => Assert.Throws<InjectionException>(() => TokenTable.Of(["a", " "]));

    [Fact]
    public void The_sides_of_a_split_share_no_token_and_keep_the_order()
    {
        var all = TokenTable.Dates(2000, 2003);
        var (training, held) = (Texts(all.Side(false, 0.2, 7)), Texts(all.Side(true, 0.2, 7)));
        Assert.Equal(292, held.Length);
        Assert.Empty(training.Intersect(held));
        Assert.Equal(Texts(all), training.Concat(held).Order(StringComparer.Ordinal));
        Assert.Equal(held.Order(StringComparer.Ordinal), held);
        Assert.NotEqual(held, Texts(all.Side(true, 0.2, 8)));
    }

    [Fact]
    public void A_token_that_stands_twice_lies_on_one_side()
    {
        var all = TokenTable.Of(["a", "b", "a", "c", "b"]);
        for (var seed = 0; seed < 20; seed++) Assert.Empty(Texts(all.Side(false, 0.5, seed)).Intersect(Texts(all.Side(true, 0.5, seed))));
    }

    [Fact]
    public void A_split_of_one_token_is_refused() => Assert.Throws<InjectionException>(() => TokenTable.Of(["a", "a"]).Side(true, 0.5, 0));

    [Theory]
    [InlineData("<b>x</b>", 1, "x")]
    [InlineData("<b>x<i>y</i></b>", 1, "x<i>y</i>")]
    [InlineData("<b>x<i>y</i></b>", 2, "y")]
    [InlineData("</b><b>x</i>", 1, "x")]
    [InlineData("<br /><p>x</p>", 2, "x")]
    [InlineData("a < b <b\nclass='>'>x</b>", 1, "'>x")]
    [InlineData("<b>x</b", 1, null)]
    [InlineData("<b>x</b>", 2, null)]
    [InlineData("<1><b></b>", 1, "")]
    [InlineData("<", 1, null)]
    public void The_content_at_a_level_is_that_of_the_first_element_to_close_there(string text, int level, string? content)
    {
        var found = HtmlTags.ContentAt(text, level);
        Assert.Equal(content, found is { } span ? text[span.Start..span.End] : null);
    }

    private static string[] Texts(TokenTable table) => [.. Enumerable.Range(0, table.Count).Select(table.Text)];
}
