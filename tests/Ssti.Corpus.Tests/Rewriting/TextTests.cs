using Ssti.Corpus.Rewriting;

namespace Ssti.Corpus.Tests.Rewriting;

public sealed class TextTests
{
    [Theory]
    [InlineData("a plain text", "a plain text")]
    [InlineData("two  spaces\nand a line", "two  spaces\nand a line")]
    [InlineData("one<br />two", "one two")]
    [InlineData("<p class=\"x\">one</p><p>two</p>", "one two ")]
    [InlineData("in<i>cred</i>ible", "incredible")]
    [InlineData("Tom &amp; Jerry &lt;3", "Tom & Jerry <3")]
    [InlineData("a < b and c > d", "a < b and c > d")]
    [InlineData("x<!-- hidden -->y<script>var z = 1;</script>", "xy")]
    [InlineData("<template>kept</template>", "kept")]
    [InlineData("unclosed <b>bold", "unclosed bold")]
    [InlineData("stray </div> end", "stray  end")]
    [InlineData("<td>cell</td>", "cell")]
    public void Markup_goes_as_a_browser_reads_it(string text, string expected) => Assert.Equal(expected, new HtmlText().Strip(text));

    [Theory]
    [InlineData("seen 1999-03-04 twice", "seen twice")]
    [InlineData("1999-03-04 first", "first")]
    [InlineData("last 1999/3/4", "last")]
    [InlineData("on 03/04/1999, again", "on , again")]
    [InlineData("3.4.99 it was", "it was")]
    [InlineData("on 3 March 1999 it", "on it")]
    [InlineData("the 3rd of March it", "the it")]
    [InlineData("March 3, 1999: a", ": a")]
    [InlineData("in Sept. 2001 we", "in we")]
    [InlineData("2087-12-31T23:59:59Z end", "end")]
    [InlineData("1999-03-04", "")]
    [InlineData("a 1999-13-04 b", "a 1999-13-04 b")]
    [InlineData("in 1999 we", "in 1999 we")]
    [InlineData("3/4 of it, 24/7", "3/4 of it, 24/7")]
    [InlineData("you may 3 times", "you times")]
    [InlineData("they march on", "they march on")]
    [InlineData("version 1.2.3 of", "version 1.2.3 of")]
    [InlineData("id 11999-03-04 x", "id 11999-03-04 x")]
    [InlineData("two 1999-01-31 2001-02-28 dates", "two dates")]
    public void What_looks_like_a_date_goes(string text, string expected) => Assert.Equal(expected, TextPatterns.WithoutDates(text));

    [Theory]
    [InlineData("10% of $5 is .5", "of is .5")]
    [InlineData("mp3 and 3rd", "mp3 and")]
    [InlineData("1,200.50 euros", "euros")]
    public void Numbers_go(string text, string expected) => Assert.Equal(expected, TextPatterns.WithoutNumbers(text));

    [Theory]
    [InlineData("see http://a.b/c?d=e now", "see now")]
    [InlineData("www.imdb.com says", "says")]
    [InlineData("a.b is none", "a.b is none")]
    public void Addresses_go(string text, string expected) => Assert.Equal(expected, TextPatterns.WithoutUrls(text));

    [Theory]
    [InlineData("a b c", "a b c", 3, 0, 0, 0)]
    [InlineData("a b c", "A  B\nC", 3, 0, 0, 0)]
    [InlineData("a bb c", "a c", 3, 1, 0, 2)]
    [InlineData("a bb c", "a ddd c", 3, 1, 1, 5)]
    [InlineData("a b c d", "d a b c", 4, 1, 1, 2)]
    [InlineData("", "new", 0, 0, 1, 3)]
    [InlineData("x a b y", "x b a y", 4, 1, 1, 2)]
    public void Changes_are_counted_against_the_longest_common_subsequence(string before, string after, int words, int gone, int came, int edited)
    {
        var changes = WordChanges.Between(before, after);
        Assert.Equal((words, gone, came, edited), (changes.Words, changes.Gone, changes.Came, changes.Edited));
    }
}
