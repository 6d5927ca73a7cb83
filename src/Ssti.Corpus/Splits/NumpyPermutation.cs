using System.Numerics;

namespace Ssti.Corpus.Splits;

/// <summary>
/// <c>numpy.random.default_rng(seed).permutation(n)</c>, number for number: NumPy's SeedSequence feeds PCG64 (XSL-RR 128/64, O'Neill 2014),
/// whose 32-bit halves drive a Fisher-Yates shuffle whose indices are masked and redrawn until in range. It is what <c>datasets.Dataset.train_test_split</c>
/// shuffles with, so a split made here holds the rows of the reference's split, in the same order. Checked against NumPy 1.24.
/// </summary>
public static class NumpyPermutation
{
    /// <summary>The numbers 0 to <paramref name="count"/> − 1 in NumPy's order for a seed.</summary>
    public static int[] Of(int count, ulong seed)
    {
        var generator = new Pcg64(seed);
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)generator.NextBounded((uint)i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>
    /// The rows of <c>train_test_split(test_size=fraction, seed=seed)</c>: the first ⌈n·fraction⌉ of the permutation are the test rows, the
    /// rest the training rows, both in the permutation's order.
    /// </summary>
    /// <exception cref="CorpusException">One of the two would be empty.</exception>
    public static (int[] Train, int[] Test) TrainTestSplit(int count, double fraction, ulong seed)
    {
        var test = (int)Math.Ceiling(count * fraction);
        if (test <= 0 || test >= count)
            throw new CorpusException($"{fraction:R} of {count} rows leaves the training or the test split without rows");
        var order = Of(count, seed);
        return (order[test..], order[..test]);
    }

    private sealed class Pcg64
    {
        private static readonly UInt128 Multiplier = new(2549297995355413924UL, 4865540595714422341UL);
        private readonly UInt128 _increment;
        private UInt128 _state;
        private uint? _half;

        public Pcg64(ulong seed)
        {
            Span<ulong> words = stackalloc ulong[4];
            SeedSequence(seed, words);
            _increment = (new UInt128(words[2], words[3]) << 1) | 1;
            _state = unchecked((_increment + new UInt128(words[0], words[1])) * Multiplier + _increment);
        }

        /// <summary>A number from 0 to <paramref name="range"/>, both included: NumPy's random_interval, which draws 32 bits at a time.</summary>
        public uint NextBounded(uint range)
        {
            var mask = uint.MaxValue >> BitOperations.LeadingZeroCount(range);
            uint value;
            do value = Next32() & mask;
            while (value > range);
            return value;
        }

        private uint Next32()
        {
            if (_half is { } half)
            {
                _half = null;
                return half;
            }

            var next = Next64();
            _half = (uint)(next >> 32);
            return (uint)next;
        }

        private ulong Next64()
        {
            _state = unchecked(_state * Multiplier + _increment);
            return ulong.RotateRight((ulong)(_state >> 64) ^ (ulong)_state, (int)(_state >> 122));
        }

        // numpy.random.SeedSequence with a pool of four 32-bit words and no spawn key.
        private static void SeedSequence(ulong seed, Span<ulong> output)
        {
            const uint initA = 0x43b0d7e5, multA = 0x931e8875, initB = 0x8b51f9dd, multB = 0x58f38ded;
            const uint mixL = 0xca01f9dd, mixR = 0x4973f715;
            var hash = initA;
            uint HashMix(uint value)
            {
                value ^= hash;
                hash *= multA;
                value *= hash;
                return value ^ (value >> 16);
            }

            static uint Mix(uint x, uint y)
            {
                var result = mixL * x - mixR * y;
                return result ^ (result >> 16);
            }

            unchecked
            {
                Span<uint> pool = stackalloc uint[4];
                pool[0] = HashMix((uint)seed);
                pool[1] = HashMix((uint)(seed >> 32));
                pool[2] = HashMix(0);
                pool[3] = HashMix(0);
                for (var source = 0; source < 4; source++)
                    for (var target = 0; target < 4; target++)
                        if (source != target) pool[target] = Mix(pool[target], HashMix(pool[source]));

                hash = initB;
                Span<uint> words = stackalloc uint[8];
                for (var i = 0; i < words.Length; i++)
                {
                    var value = pool[i % 4] ^ hash;
                    hash *= multB;
                    value *= hash;
                    words[i] = value ^ (value >> 16);
                }

                for (var i = 0; i < output.Length; i++) output[i] = words[2 * i] | ((ulong)words[2 * i + 1] << 32);
            }
        }
    }
}
