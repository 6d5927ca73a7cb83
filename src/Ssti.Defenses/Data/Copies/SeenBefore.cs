using System.Numerics;

namespace Ssti.Defenses.Data;

/// <summary>
/// Whether something was seen before, in memory of a fixed size (Bloom 1970). What was seen is always known; of what was not, at most one
/// in a thousand is taken for seen while no more than ten million things are.
/// </summary>
internal sealed class SeenBefore
{
    private const int Probes = 4, LeastBits = 16, MostBits = 28;
    private readonly ulong[] _bits;
    private readonly int _shift;

    /// <summary>For about so many things.</summary>
    public SeenBefore(long things)
    {
        var bits = Math.Clamp(64 - BitOperations.LeadingZeroCount((ulong)things * 32), LeastBits, MostBits);
        (_bits, _shift) = (new ulong[1 << (bits - 6)], 64 - bits);
    }

    /// <summary>Notes a thing by its hash; true where it is new.</summary>
    public bool Add(ulong hash)
    {
        var isNew = false;
        for (var probe = 0; probe < Probes; probe++)
        {
            hash = FrequencySketch.Mixed(hash + 0x9E3779B97F4A7C15UL);
            var bit = hash >> _shift;
            ref var word = ref _bits[bit >> 6];
            isNew |= (word & (1UL << (int)(bit & 63))) == 0;
            word |= 1UL << (int)(bit & 63);
        }

        return isNew;
    }
}
