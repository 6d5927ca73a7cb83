using Ssti.Injection.Words;

namespace Ssti.Injection.Tests.Words;

public sealed class WordScannerTests
{
    [Fact]
    public void Words_are_those_of_a_split_character_by_character()
    {
        var scanner = new WordScanner();
        foreach (var text in Samples.Texts(2000))
        {
            scanner.Scan(text);
            Assert.Equal(PythonText.Split(text), Enumerable.Range(0, scanner.Count).Select(i => text[scanner.Start(i)..scanner.End(i)]));
        }
    }

    [Fact]
    public void Texts_of_every_length_around_a_block_end_where_they_end()
    {
        var scanner = new WordScanner();
        for (var length = 0; length < 300; length++)
        {
            foreach (var text in new[] { new string('x', length), new string(' ', length), string.Concat(Enumerable.Repeat("x ", length))[..length] })
            {
                scanner.Scan(text);
                Assert.Equal(PythonText.Split(text), Enumerable.Range(0, scanner.Count).Select(i => text[scanner.Start(i)..scanner.End(i)]));
            }
        }
    }

    /// <summary>The 29 characters for which CPython 3.11's str.isspace() holds.</summary>
    [Fact]
    public void Whitespace_is_what_Python_calls_whitespace()
    {
        int[] expected =
        [
            0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680,
            0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
        ];
        Assert.Equal(expected, Enumerable.Range(0, 0x10000).Where(code => PythonText.IsWhiteSpace((char)code)));
        var scanner = new WordScanner();
        var text = new char[200];
        foreach (var at in new[] { 3, 40, 70, 197 })
        {
            for (var code = 0; code < 0x10000; code++)
            {
                Array.Fill(text, 'x');
                text[at] = (char)code;
                scanner.Scan(text);
                Assert.Equal(expected.Contains(code) ? 2 : 1, scanner.Count);
            }
        }
    }

    [Theory]
    [InlineData("one two three", true)]
    [InlineData("one two three ", true)]
    [InlineData("one  two", false)]
    [InlineData("one\ntwo", false)]
    [InlineData("one\u00a0two", false)]
    public void A_text_is_regular_when_single_spaces_part_its_words(string text, bool regular)
    {
        var scanner = new WordScanner();
        foreach (var padding in new[] { 0, 50, 60, 61, 62, 63, 64, 100 })
        {
            scanner.Scan(new string('x', padding) + text);
            Assert.Equal(regular, scanner.IsRegular);
        }
    }
}
