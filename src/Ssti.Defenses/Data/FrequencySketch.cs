using System.Numerics;

namespace Ssti.Defenses.Data;

/// <summary>
/// Upper bounds of how often things occur, in memory of a fixed size (Park, Chen and Yu 1995): what hashes alike is counted together, so
/// that a thing whose bucket is below a bound is surely
/// below it, and need not be counted by itself.
/// </summary>
internal sealed class FrequencySketch(int bits)
{
    private readonly int[] _counts = new int[1 << bits];

    /// <summary>Counts one.</summary>
    public void Add(ulong hash)
    {
        ref var count = ref _counts[hash >> (64 - bits)];
        if (count < int.MaxValue) count++;
    }

    /// <summary>Whether a thing may occur so often.</summary>
    public bool MayReach(ulong hash, int bound) => _counts[hash >> (64 - bits)] >= bound;

    /// <summary>The smallest bound, from one up, that at most so many buckets reach.</summary>
    public int BoundFor(int least, int most)
    {
        var reached = new int[ushort.MaxValue + 1];
        foreach (var count in _counts) reached[Math.Min(count, ushort.MaxValue)]++;
        var sum = 0;
        for (var bound = ushort.MaxValue; bound > least; bound--)
        {
            sum += reached[bound];
            if (sum > most) return bound + 1;
        }

        return least;
    }

    /// <summary>A hash of a text; the same in every process.</summary>
    public static ulong Hash(ReadOnlySpan<char> text)
    {
        var hash = 0x2545F4914F6CDD1DUL;
        foreach (var c in text) hash = (BitOperations.RotateLeft(hash, 5) ^ c) * 0x9E3779B97F4A7C15UL;
        return Mixed(hash);
    }

    /// <summary>A hash of two hashes in their order.</summary>
    public static ulong Hash(ulong first, ulong second) => Mixed((BitOperations.RotateLeft(first, 23) * 0xD6E8FEB86659FD93UL) ^ second);

    /// <summary>Spreads a hash over all bits.</summary>
    internal static ulong Mixed(ulong hash)
    {
        hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93UL;
        return hash ^ (hash >> 29);
    }
}
