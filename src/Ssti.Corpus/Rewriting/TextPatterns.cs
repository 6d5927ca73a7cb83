using System.Text;
using System.Text.RegularExpressions;

namespace Ssti.Corpus.Rewriting;

/// <summary>Takes out what looks like a date, a number or a URL, with one space beside it. Patterns, no understanding: <c>3/4</c> stays, <c>3/4/99</c> goes.</summary>
public static partial class TextPatterns
{
    private const string Month = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
    private const string Day = @"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?";

    /// <summary>
    /// Without dates: <c>1999-03-04</c>, <c>1999/3/4</c>, <c>03/04/1999</c>, <c>3.4.99</c>, <c>3 March 1999</c>, <c>3rd of March</c>, <c>March 3, 1999</c>,
    /// <c>Mar. 1999</c>; ISO's with a time behind it, too. A year alone is no date.
    /// </summary>
    public static string WithoutDates(string text) => Without(Dates(), text);

    /// <summary>Without numbers: <c>7</c>, <c>1,200.50</c>, <c>10%</c>, <c>$5</c>, <c>3rd</c>; not the digits of a word such as <c>mp3</c>.</summary>
    public static string WithoutNumbers(string text) => Without(Numbers(), text);

    /// <summary>Without <c>https://…</c>, <c>http://…</c>, <c>ftp://…</c> and <c>www.…</c>.</summary>
    public static string WithoutUrls(string text) => Without(Urls(), text);

    private static string Without(Regex pattern, string text)
    {
        var (rest, at) = (new StringBuilder(text.Length), 0);
        foreach (var match in pattern.EnumerateMatches(text))
        {
            var (start, end) = (match.Index, match.Index + match.Length);
            rest.Append(text, at, start - at);
            // One of the two spaces that would now be neighbours goes, too.
            var afterSpace = rest.Length == 0 || char.IsWhiteSpace(rest[^1]);
            if (afterSpace && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            else if (afterSpace && end == text.Length && rest.Length > 0) rest.Length--;
            at = end;
        }

        return at == 0 ? text : rest.Append(text, at, text.Length - at).ToString();
    }

    [GeneratedRegex(
        @"(?<![\w/.\-])(?:"
        + @"\d{4}(?<s>[-/.])(?:1[0-2]|0?[1-9])\k<s>(?:[12]\d|3[01]|0?[1-9])(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
        + @"|(?:[12]\d|3[01]|0?[1-9])(?<p>[-/.])(?:[12]\d|3[01]|0?[1-9])\k<p>(?:\d{4}|\d{2})"
        + @"|" + Day + @"\s+(?:of\s+)?" + Month + @"\b\.?(?:,?\s+\d{4})?"
        + @"|" + Month + @"\.?\s+" + Day + @"(?:,?\s+\d{4})?"
        + @"|" + Month + @"\.?,?\s+\d{4}"
        + @")(?![\w/\-])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Dates();

    [GeneratedRegex(@"(?<![\w.,])[+\-]?[$€£¥]?\d+(?:[.,]\d+)*(?:st|nd|rd|th|%|[$€£¥])?(?!\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>""]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Urls();
}
