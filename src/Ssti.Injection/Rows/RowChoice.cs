using System.Buffers.Binary;
using System.Collections;
using System.Numerics;
using Ssti.Injection.Randomness;

namespace Ssti.Injection.Rows;

/// <summary>Which of the target rows, counted from 0, are injected: one bit a row once chosen (while choosing, at most 12 bytes a row).</summary>
internal sealed class RowChoice
{
    private readonly BitArray? _chosen;

    private RowChoice(int count, BitArray? chosen) => (Count, _chosen) = (count, chosen);

    /// <summary>How many rows were chosen.</summary>
    public int Count { get; }

    /// <summary>Whether a target row was chosen.</summary>
    public bool this[int index] => _chosen is null || _chosen[index];

    /// <summary>As the reference: <c>random.Random(seed).sample(range(targets), count)</c>.</summary>
    public static RowChoice Sampled(int targets, int count, BigInteger seed)
    {
        if (count == targets) return new(count, null);
        var chosen = new BitArray(targets);
        foreach (var index in new CPythonRandom(seed).Sample(targets, count)) chosen[index] = true;
        return new(count, chosen);
    }

    /// <summary>
    /// The rows with the smallest numbers, each row's number depending only on the seed and its id: a larger proportion holds all rows of
    /// a smaller one, and a row more or less in the set changes the choice of at most one other.
    /// </summary>
    public static RowChoice ByRow(IEnumerable<string> targetIds, int targets, int count, BigInteger seed)
    {
        if (count == targets) return new(count, null);
        var numbers = new ulong[targets];
        var order = new int[targets];
        Span<byte> bytes = stackalloc byte[16];
        var i = 0;
        foreach (var id in targetIds)
        {
            bytes.Clear();
            RowStreams.SeedOf(seed, "rows", id).TryWriteBytes(bytes, out _, isUnsigned: true);
            numbers[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            order[i] = i++;
        }

        Array.Sort(numbers, order);
        var chosen = new BitArray(targets);
        foreach (var index in order.AsSpan(0, count)) chosen[index] = true;
        return new(count, chosen);
    }

    /// <summary>How many rows a proportion is: Python's <c>round(count * proportion)</c>, halves to the even number.</summary>
    public static int Rounded(long count, double proportion) => checked((int)Math.Round(count * proportion, MidpointRounding.ToEven));
}
