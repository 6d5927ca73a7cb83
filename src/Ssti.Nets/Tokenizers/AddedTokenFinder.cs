using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>Finds added tokens in a text: from the left, of several at one place the longest, as Hugging Face's <c>tokenizers</c> does.</summary>
internal sealed class AddedTokenFinder
{
    private readonly AddedToken[] _tokens;
    private readonly SearchValues<char> _first;

    /// <summary>A finder of some tokens.</summary>
    public AddedTokenFinder(IEnumerable<AddedToken> tokens)
    {
        _tokens = [.. tokens.Where(token => token.Content.Length > 0).OrderByDescending(token => token.Content.Length)];
        _first = SearchValues.Create([.. _tokens.Select(token => token.Content[0]).Distinct()]);
    }

    /// <summary>Whether there is nothing to find.</summary>
    public bool IsEmpty => _tokens.Length == 0;

    /// <summary>The next token at or after a place; null when there is none.</summary>
    public (int At, AddedToken Token)? Next(ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length)
        {
            var step = text[from..].IndexOfAny(_first);
            if (step < 0) return null;
            from += step;
            AddedToken? found = null;
            foreach (var token in _tokens)
            {
                if (!text[from..].StartsWith(token.Content, StringComparison.Ordinal)) continue;
                found = token;
                break;
            }

            if (found is null) from++;
            else if (!found.SingleWord || StandsAlone(text, from, from + found.Content.Length)) return (from, found);
            else from += found.Content.Length;
        }

        return null;
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, int end)
    {
        Rune.DecodeLastFromUtf16(text[..start], out var before, out _);
        Rune.DecodeFromUtf16(text[end..], out var after, out _);
        return (start == 0 || !IsWord(before)) && (end == text.Length || !IsWord(after));
    }

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.ConnectorPunctuation or UnicodeCategory.LetterNumber;
}
