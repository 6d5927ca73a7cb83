using System.Numerics;
using System.Runtime.Intrinsics.X86;

namespace Ssti.Injection.Words;

/// <summary>
/// Insertions into a list one after the other, each at a position in the list as grown so far (Python's <c>list.insert</c>), and where
/// each item ends up once all are in.
/// </summary>
internal sealed class Insertions
{
    private int[] _pieces = new int[64];
    private int[] _positions = new int[64];
    private int[] _slots = new int[64];
    private int[] _ordered = new int[64];
    private ulong[] _taken = new ulong[64];

    /// <summary>How many items are inserted.</summary>
    public int Count { get; private set; }

    /// <summary>The characters of all items, for making room; kept by the caller.</summary>
    public int Characters { get; private set; }

    /// <summary>Forgets what was inserted.</summary>
    public void Clear() => (Count, Characters) = (0, 0);

    /// <summary>Inserts an item.</summary>
    /// <param name="piece">What is inserted: an index into a table.</param>
    /// <param name="characters">Its length.</param>
    /// <param name="position">Where, from 0 to the length of the list so far, both included.</param>
    public void Add(int piece, int characters, int position)
    {
        if (Count == _pieces.Length)
        {
            Array.Resize(ref _pieces, 2 * Count);
            Array.Resize(ref _positions, 2 * Count);
        }

        _pieces[Count] = piece;
        _positions[Count++] = position;
        Characters += characters;
    }

    /// <summary>Sets the position of an item added before.</summary>
    public void Place(int item, int position) => _positions[item] = position;

    /// <summary>
    /// Settles where the items stand in the final list. The item inserted last stands where it was put; the one before it takes the
    /// position-th slot still free; and so on, which needs no list to be shifted.
    /// </summary>
    /// <param name="words">The length of the list before the first insertion.</param>
    /// <returns>The items from the front: the slot in the final list, and the piece in it.</returns>
    public (int[] Slots, int[] Pieces) Settle(int words)
    {
        var length = words + Count;
        var blocks = (length + 63) / 64;
        if (_taken.Length < blocks) _taken = new ulong[2 * blocks];
        if (_slots.Length < length) _slots = new int[2 * length];
        if (_ordered.Length < Count) _ordered = new int[2 * Count];
        var taken = _taken.AsSpan(0, blocks);
        taken.Clear();
        for (var i = Count - 1; i >= 0; i--)
        {
            var slot = Free(taken, _positions[i]);
            taken[slot / 64] |= 1ul << (slot % 64);
            _slots[slot] = _pieces[i];
        }

        // The slots are gathered in place: the n-th token never stands before slot n.
        var found = 0;
        for (var block = 0; block < blocks; block++)
        {
            for (var bits = taken[block]; bits != 0; bits &= bits - 1)
            {
                var slot = 64 * block + BitOperations.TrailingZeroCount(bits);
                _ordered[found] = _slots[slot];
                _slots[found++] = slot;
            }
        }

        return (_slots, _ordered);
    }

    private static int Free(ReadOnlySpan<ulong> taken, int position)
    {
        for (var block = 0; ; block++)
        {
            var free = ~taken[block];
            var count = BitOperations.PopCount(free);
            if (position < count) return 64 * block + Select(free, position);
            position -= count;
        }
    }

    private static int Select(ulong bits, int rank)
    {
        if (Bmi2.X64.IsSupported) return BitOperations.TrailingZeroCount(Bmi2.X64.ParallelBitDeposit(1ul << rank, bits));
        for (; rank > 0; rank--) bits &= bits - 1;
        return BitOperations.TrailingZeroCount(bits);
    }
}
