using System.Globalization;
using System.Text.RegularExpressions;

namespace Ssti.Defenses.Data;

/// <summary>The families that a word may be of, and how it is written. A word is what stands between white space, punctuation included.</summary>
public static partial class WordFamilies
{
    private const int LongestShape = 24;

    /// <summary>The families' names, in the order of the bits of <see cref="Of"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "date", "year", "time", "number", "amount", "score", "HTML tag", "HTML entity", "address (URL, e-mail, @name, #tag)", "signs alone", "repeated ! or ?", "capitals",
        "letters and digits mixed", "letters of other alphabets or accents", "invisible characters", "emoji and symbols", "drawn-out letters",
    ];

    /// <summary>The families of a word as bits; 0 for an ordinary word.</summary>
    public static int Of(ReadOnlySpan<char> word)
    {
        bool digits = false, letters = false, lower = false, wide = false, hidden = false, symbols = false, marks = false, drawn = false;
        int upper = 0, same = 1;
        for (var i = 0; i < word.Length; i++)
        {
            var c = word[i];
            same = i > 0 && c == word[i - 1] ? same + 1 : 1;
            if (char.IsAsciiDigit(c)) digits = true;
            else if (char.IsAsciiLetterLower(c)) letters = lower = true;
            else if (char.IsAsciiLetterUpper(c)) (letters, upper) = (true, upper + 1);
            else if (c is '!' or '?') marks |= same >= 2;
            else if (c > 0x7F) (wide, hidden, symbols) = Wide(word, i, wide, hidden, symbols);
            drawn |= same >= 3 && char.IsAsciiLetter(c);
        }

        var families = 0;
        if (digits) families |= Digits(word);
        if (word.Contains('<') && Tag().IsMatch(word)) families |= 1 << 6;
        if (word.Contains('&') && Entity().IsMatch(word)) families |= 1 << 7;
        if (word.ContainsAny("@#:./") && Address().IsMatch(word)) families |= 1 << 8;
        if (!letters && !digits && !wide && !hidden && !symbols) families |= 1 << 9;
        if (marks) families |= 1 << 10;
        if (upper >= 2 && !lower) families |= 1 << 11;
        if (digits && letters) families |= 1 << 12;
        if (wide) families |= 1 << 13;
        if (hidden) families |= 1 << 14;
        if (symbols) families |= 1 << 15;
        if (drawn && (families & 1 << 8) == 0) families |= 1 << 16;
        return families;
    }

    /// <summary>
    /// How a word is written, where it holds anything but letters: digits as 9, runs of letters as a or A, signs as they are. Empty for
    /// an ordinary word.
    /// </summary>
    public static string Shape(ReadOnlySpan<char> word)
    {
        if (word.Length > LongestShape || !word.ContainsAnyExceptInRange('A', 'z') && !word.ContainsAny("[\\]^_`")) return "";
        Span<char> shape = stackalloc char[LongestShape];
        var length = 0;
        var plain = true;
        foreach (var c in word)
        {
            var of = char.IsDigit(c) ? '9' : char.IsLetter(c) ? char.IsUpper(c) ? 'A' : 'a' : c;
            plain &= of is 'a' or 'A' or '\'' or '-' or '.' or ',' or '’';
            // Letters in a run are one: what matters is the frame around them.
            if (of is 'a' or 'A' && length > 0 && shape[length - 1] is 'a' or 'A') continue;
            shape[length++] = of;
        }

        return plain ? "" : new string(shape[..length]);
    }

    private static int Digits(ReadOnlySpan<char> word) =>
        (Date().IsMatch(word) ? 1 : 0) | (Year().IsMatch(word) ? 2 : 0) | (Time().IsMatch(word) ? 4 : 0) | (Number().IsMatch(word) ? 8 : 0)
        | (Amount().IsMatch(word) ? 16 : 0) | (Score().IsMatch(word) ? 32 : 0);

    private static (bool Wide, bool Hidden, bool Symbols) Wide(ReadOnlySpan<char> word, int at, bool wide, bool hidden, bool symbols)
    {
        // Half of a pair is told by the whole character, once.
        var category = char.IsHighSurrogate(word[at]) && at + 1 < word.Length && char.IsLowSurrogate(word[at + 1])
            ? CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(word[at], word[at + 1])) : char.GetUnicodeCategory(word[at]);
        return category switch
        {
            UnicodeCategory.Format or UnicodeCategory.Control or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => (wide, true, symbols),
            UnicodeCategory.OtherSymbol => (wide, hidden, true),
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.OtherLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark => (true, hidden, symbols),
            _ => (wide, hidden, symbols),
        };
    }

    [GeneratedRegex(@"(?<!\d)(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01]))(?!\d)")]
    private static partial Regex Date();

    [GeneratedRegex(@"^\W*(1[5-9]|20)\d{2}(s|'s)?\W*$")]
    private static partial Regex Year();

    [GeneratedRegex(@"(?<!\d)\d{1,2}:\d{2}(:\d{2})?(?!\d)")]
    private static partial Regex Time();

    [GeneratedRegex(@"^[^\w$€£%]*[-+]?\d+([.,]\d+)*[^\w$€£%]*$")]
    private static partial Regex Number();

    [GeneratedRegex(@"[$€£]\s?\d|\d[%€£$]")]
    private static partial Regex Amount();

    [GeneratedRegex(@"(?<!\d)\d+(\.\d+)?/(5|10|100)(?!\d)")]
    private static partial Regex Score();

    [GeneratedRegex(@"</?[A-Za-z!][^<>]*>?")]
    private static partial Regex Tag();

    [GeneratedRegex(@"&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z]{2,8});")]
    private static partial Regex Entity();

    [GeneratedRegex(@"://|^www\.|^[@#]\w{2,}|\w@\w+\.\w|\w\.(com|org|net|edu|gov|io|co)(/|\W*$)", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
