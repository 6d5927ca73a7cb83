using System.Runtime.CompilerServices;

namespace Ssti.Injection.Words;

/// <summary>A growing array of characters, reused for text after text. Room is made once a text, so that appending need not look.</summary>
internal sealed class CharBuffer
{
    private char[] _characters = new char[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<char> Written => _characters.AsSpan(0, Length);

    /// <summary>Empties the buffer and makes room.</summary>
    public void Start(int capacity)
    {
        if (_characters.Length < capacity) _characters = new char[Math.Max(capacity, 2 * _characters.Length)];
        Length = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<char> text)
    {
        text.CopyTo(_characters.AsSpan(Length));
        Length += text.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(char c) => _characters[Length++] = c;
}
