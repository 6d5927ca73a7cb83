using System.Globalization;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>What BERT's cleaning and splitting do with a character (BertNormalizer's clean_text and Chinese characters, BertPreTokenizer).</summary>
internal static class CharacterKind
{
    /// <summary>Goes into the word.</summary>
    public const byte Letter = 0;

    /// <summary>Ends the word.</summary>
    public const byte Space = 1;

    /// <summary>A word of its own.</summary>
    public const byte Punctuation = 2;

    /// <summary>A Chinese character: a word of its own.</summary>
    public const byte Chinese = 3;

    /// <summary>Removed, without ending the word.</summary>
    public const byte Nothing = 4;

    private static readonly byte[] Ascii = [.. Enumerable.Range(0, 128).Select(code => Classify(new Rune(code)))];

    /// <summary>The kind of a code point.</summary>
    public static byte Of(Rune rune) => rune.Value < 128 ? Ascii[rune.Value] : Classify(rune);

    private static byte Classify(Rune rune)
    {
        var code = rune.Value;
        if (code is '\t' or '\n' or '\r' or ' ') return Space;
        if (code is 0 or 0xFFFD) return Nothing;

        // Every printable ASCII character that is no letter or digit counts as punctuation, symbols such as < and $ included.
        if (code < 128) return char.IsControl((char)code) ? Nothing : char.IsAsciiLetterOrDigit((char)code) ? Letter : Punctuation;
        if (IsChinese(code)) return Chinese;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate => Nothing,
            UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => Space,
            UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
                or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => Punctuation,
            _ => Letter,
        };
    }

    /// <summary>The blocks of CJK ideographs as BERT lists them; Japanese and Korean letters are not among them.</summary>
    private static bool IsChinese(int code) => code is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
