using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>Collects the characters of a word behind room for what goes before a piece that continues it, such as <c>##</c>.</summary>
internal struct WordBuilder(bool lowercase)
{
    /// <summary>Room before the word.</summary>
    public const int Prefix = 8;

    /// <summary>Characters a buffer must hold: words beyond 100 code points are unknown, so that their rest need not be kept.</summary>
    public const int Size = Prefix + 2 * 101;

    private Characters _buffer;
    private int _end = Prefix;
    private int _runes;
    private int _start;

    /// <summary>Code points so far.</summary>
    public readonly int Length => _runes;

    /// <summary>Appends an ASCII letter or digit; false for anything else, which may change in several ways.</summary>
    public bool Append(Rune rune, int at)
    {
        if (rune.Value >= 128) return false;
        if (_runes == 0) _start = at;
        if (_end < Size)
        {
            var letter = (char)rune.Value;
            _buffer[_end++] = lowercase && letter is >= 'A' and <= 'Z' ? (char)(letter | 0x20) : letter;
        }

        _runes++;
        return true;
    }

    /// <summary>Appends a code point unchanged.</summary>
    public void AppendAsIs(Rune rune, int at)
    {
        if (_runes++ == 0) _start = at;
        if (_end + 2 <= Size) _end += rune.EncodeToUtf16(((Span<char>)_buffer)[_end..]);
    }

    /// <summary>The word with <see cref="Prefix"/> characters of room before it, its length in code points and its start in the text; begins the next word.</summary>
    [UnscopedRef]
    public Span<char> Take(out int runes, out int start)
    {
        (runes, start) = (_runes, _start);
        var word = ((Span<char>)_buffer)[.._end];
        (_runes, _end) = (0, Prefix);
        return word;
    }

    [InlineArray(Size)]
    private struct Characters
    {
        private char _first;
    }
}
