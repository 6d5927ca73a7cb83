using System.Buffers;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>Splits a text into words as Llama 3 does: none of its pieces goes from one word into the next.</summary>
/// <remarks>
/// The pattern by hand, character by character: .NET's regular expressions see the two halves of a character beyond U+FFFF, which are no letters and no numbers,
/// so that 𝐇𝐢 would be no word; and to them <c>ſ</c> is no s.
/// </remarks>
internal static class Llama3Words
{
    /// <summary>The pattern, as tokenizer.json and Meta's code write it.</summary>
    public const string Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private enum Kind
    {
        Letter,
        Number,
        Line,
        Space,
        Other,
        End,
    }

    /// <summary>The length of the word at the beginning of a text that is not empty.</summary>
    public static int First(ReadOnlySpan<char> text)
    {
        var first = At(text, 0, out var one);
        if (text[0] == '\'' && Contraction(text[1..]) is > 0 and var letters) return 1 + letters;
        if (first == Kind.Letter) return Run(text, 0, Kind.Letter);
        if (first is Kind.Space or Kind.Other && At(text, one, out _) == Kind.Letter) return Run(text, one, Kind.Letter);
        if (first == Kind.Number) return Run(text, 0, Kind.Number, 3);
        var signs = text[0] == ' ' ? 1 : 0;
        if (At(text, signs, out _) == Kind.Other) return Run(text, Run(text, signs, Kind.Other), Kind.Line);

        // White space: up to its last line break; else all but its last character, which goes to the word behind it.
        var (end, line, last) = (0, 0, 0);
        while (At(text, end, out var length) is var kind and (Kind.Space or Kind.Line))
        {
            (last, end) = (end, end + length);
            if (kind == Kind.Line) line = end;
        }

        return line > 0 ? line : end == text.Length || last == 0 ? end : last;
    }

    // ſ is an s where upper and lower case are the same.
    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return 0;
        if (text[0] is 's' or 'S' or 't' or 'T' or 'm' or 'M' or 'd' or 'D' or '\u017F') return 1;
        return text.Length > 1 && ((char)(text[0] | 0x20), (char)(text[1] | 0x20)) is ('r', 'e') or ('v', 'e') or ('l', 'l')
            && char.IsAsciiLetter(text[0]) && char.IsAsciiLetter(text[1]) ? 2 : 0;
    }

    private static int Run(ReadOnlySpan<char> text, int from, Kind kind, int most = int.MaxValue)
    {
        for (; most > 0 && At(text, from, out var length) == kind; most--) from += length;
        return from;
    }

    private static Kind At(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 0;
        if (at >= text.Length) return Kind.End;
        if (Rune.DecodeFromUtf16(text[at..], out var rune, out length) != OperationStatus.Done) (rune, length) = (Rune.ReplacementChar, 1);
        return rune.Value is '\r' or '\n' ? Kind.Line : Rune.IsLetter(rune) ? Kind.Letter : Rune.IsNumber(rune) ? Kind.Number : Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
    }
}
