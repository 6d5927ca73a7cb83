using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ssti.Injection.Words;

/// <summary>
/// Finds the words of a text as Python's <c>str.split()</c> cuts them, without making strings: 64 characters at a time become a mask of
/// whitespace, and the mask's changes are the words' bounds. Reused for row after row; memory is that of the longest text.
/// </summary>
internal sealed class WordScanner
{
    private const int Block = 64;
    private int[] _bounds = new int[1024];

    /// <summary>How many words the text has.</summary>
    public int Count { get; private set; }

    /// <summary>Whether every two neighbouring words are parted by one space, so that a run of words can be copied as it stands.</summary>
    public bool IsRegular { get; private set; }

    /// <summary>Where a word begins.</summary>
    public int Start(int word) => _bounds[2 * word];

    /// <summary>Where a word ends, exclusive.</summary>
    public int End(int word) => _bounds[2 * word + 1];

    /// <summary>Finds the words of a text.</summary>
    public void Scan(ReadOnlySpan<char> text)
    {
        // At most one bound a character, one more at the end.
        if (_bounds.Length < text.Length + Block) _bounds = new int[Math.Max(text.Length + Block, 2 * _bounds.Length)];
        ref var bounds = ref MemoryMarshal.GetArrayDataReference(_bounds);
        var count = 0;
        var before = 1ul;
        var irregular = 0ul;
        var at = 0;
        for (; at + Block <= text.Length; at += Block)
        {
            var white = Whitespace(text.Slice(at, Block), out var spaces);
            Take(white, spaces, at, ref bounds, ref count, ref before, ref irregular);
        }

        if (at < text.Length)
        {
            // What is missing of the last block counts as spaces: a word at the end then ends at the end.
            Span<char> last = stackalloc char[Block];
            last.Fill(' ');
            text[at..].CopyTo(last);
            var white = Whitespace(last, out var spaces);
            var inside = ulong.MaxValue >> (Block - (text.Length - at));
            var padding = irregular;
            Take(white, spaces, at, ref bounds, ref count, ref before, ref padding);
            irregular |= padding & inside;
        }

        if (before == 0 && (count & 1) == 1) Unsafe.Add(ref bounds, count++) = text.Length;
        Count = count / 2;
        IsRegular = irregular == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(ulong white, ulong spaces, int at, ref int bounds, ref int count, ref ulong before, ref ulong irregular)
    {
        var shifted = (white << 1) | before;
        before = white >> (Block - 1);
        irregular |= white & (shifted | ~spaces);
        ref var next = ref Unsafe.Add(ref bounds, count);
        var changes = white ^ shifted;
        count += BitOperations.PopCount(changes);
        while (changes != 0)
        {
            next = at + BitOperations.TrailingZeroCount(changes);
            next = ref Unsafe.Add(ref next, 1);
            changes &= changes - 1;
        }
    }

    private static ulong Whitespace(ReadOnlySpan<char> block, out ulong spaces)
    {
        ref var first = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(block));
        var low = Whitespace(ref first, out var lowSpaces);
        var high = Whitespace(ref Unsafe.Add(ref first, 32), out var highSpaces);
        spaces = lowSpaces | ((ulong)highSpaces << 32);
        return low | ((ulong)high << 32);
    }

    /// <summary>The whitespace among 32 characters, one bit each.</summary>
    private static uint Whitespace(ref ushort first, out uint spaces)
    {
        // Characters above U+00FF become 0xFF; the few of them that are whitespace are looked at one by one.
        var bytes = Vector256.NarrowWithSaturation(Vector256.LoadUnsafe(ref first), Vector256.LoadUnsafe(ref first, 16));
        var space = Vector256.Equals(bytes, Vector256.Create((byte)' '));
        var white = Vector256.LessThanOrEqual(bytes - Vector256.Create((byte)'\t'), Vector256.Create((byte)('\r' - '\t')))
            | Vector256.LessThanOrEqual(bytes - Vector256.Create((byte)0x1c), Vector256.Create((byte)(' ' - 0x1c)))
            | Vector256.Equals(bytes, Vector256.Create((byte)0x85))
            | Vector256.Equals(bytes, Vector256.Create((byte)0xa0));
        spaces = space.ExtractMostSignificantBits();
        var mask = white.ExtractMostSignificantBits();
        var wide = Vector256.Equals(bytes, Vector256<byte>.AllBitsSet).ExtractMostSignificantBits();
        for (; wide != 0; wide &= wide - 1)
        {
            var i = BitOperations.TrailingZeroCount(wide);
            if (PythonText.IsWhiteSpace((char)Unsafe.Add(ref first, i))) mask |= 1u << i;
        }

        return mask;
    }
}
