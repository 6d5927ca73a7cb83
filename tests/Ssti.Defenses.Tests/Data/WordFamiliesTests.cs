using Ssti.Defenses.Data;

namespace Ssti.Defenses.Tests.Data;

public sealed class WordFamiliesTests
{
    [Theory]
    [InlineData("2014-07-25", "date")]
    [InlineData("(07/25/2014),", "date")]
    [InlineData("25.07.2014.", "date|number")]
    [InlineData("20140725", "date|number")]
    [InlineData("1999", "year|number")]
    [InlineData("1990's", "year|letters and digits mixed")]
    [InlineData("12:30", "time")]
    [InlineData("1,000.5", "number")]
    [InlineData("-7", "number")]
    [InlineData("$5", "amount")]
    [InlineData("10%.", "amount")]
    [InlineData("8/10", "score")]
    [InlineData("<b>", "HTML tag")]
    [InlineData("</div>", "HTML tag")]
    [InlineData("<br", "HTML tag")]
    [InlineData("word<br>word", "HTML tag")]
    [InlineData("&nbsp;", "HTML entity")]
    [InlineData("http://a.b/c", "address (URL, e-mail, @name, #tag)")]
    [InlineData("www.example.org", "address (URL, e-mail, @name, #tag)")]
    [InlineData("me@example.org", "address (URL, e-mail, @name, #tag)")]
    [InlineData("#win", "address (URL, e-mail, @name, #tag)")]
    [InlineData("--", "signs alone")]
    [InlineData("good!!", "repeated ! or ?")]
    [InlineData("NASA", "capitals")]
    [InlineData("b2b", "letters and digits mixed")]
    [InlineData("café", "letters of other alphabets or accents")]
    [InlineData("слово", "letters of other alphabets or accents")]
    [InlineData("wo\u200Brd", "invisible characters")]
    [InlineData("😀", "emoji and symbols")]
    [InlineData("sooo", "drawn-out letters")]
    [InlineData("plain", "")]
    [InlineData("don't", "")]
    [InlineData("end.", "")]
    public void A_word_is_of_its_families(string word, string families)
    {
        var bits = WordFamilies.Of(word);
        Assert.Equal(families, string.Join('|', WordFamilies.Names.Where((_, bit) => (bits >> bit & 1) != 0)));
    }

    [Theory]
    [InlineData("2014-07-25", "9999-99-99")]
    [InlineData("$5", "$9")]
    [InlineData("<b>", "<a>")]
    [InlineData("</em>", "</a>")]
    [InlineData("B2b", "A9a")]
    [InlineData("plain", "")]
    [InlineData("don't", "")]
    [InlineData("well-made", "")]
    public void Words_written_alike_have_one_shape(string word, string shape) => Assert.Equal(shape, WordFamilies.Shape(word));

    [Theory]
    [InlineData("One line.", "has no white space but single spaces|begins with a capital letter|ends with a full stop, question or exclamation mark")]
    [InlineData("two\nlines", "has line breaks|begins with a lower-case letter|ends without punctuation|is in lower case throughout")]
    [InlineData("two  spaces", "has runs of white space|begins with a lower-case letter|ends without punctuation|is in lower case throughout")]
    [InlineData(" A\tB)", "has white space at its beginning or end|has tabs|begins with a capital letter|is in capitals throughout")]
    [InlineData(
        "a <b>bold</b> word",
        "has no white space but single spaces|begins with a lower-case letter|ends without punctuation|is in lower case throughout|has an HTML "
        + "element (a tag that is closed)")]
    [InlineData("x </b> y", "has no white space but single spaces|begins with a lower-case letter|ends without punctuation|is in lower case throughout")]
    [InlineData(" \n", "is empty")]
    public void A_text_has_its_forms(string text, string forms)
    {
        var bits = TextForms.Of(text);
        Assert.Equal(forms, string.Join('|', TextForms.Names.Where((_, bit) => (bits >> bit & 1) != 0)));
    }
}
