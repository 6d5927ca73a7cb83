using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ssti.Injection.Randomness;

/// <summary>
/// CPython's <c>random.Random</c>, number for number: the Mersenne twister MT19937 (Matsumoto and Nishimura 1998) seeded by
/// <c>init_by_array</c>, and the methods the reference injection code draws with. Each method takes as many words of the
/// stream as CPython's does, so any mixture of calls stays in step. Checked against CPython 3.11; not safe for several threads.
/// </summary>
public sealed class CPythonRandom
{
    private const int N = 624;
    private const int M = 397;
    private readonly uint[] _state = new uint[N];
    private int _next = N;

    /// <summary>As <c>random.Random(seed)</c>.</summary>
    /// <param name="seed">Any integer; the sign is ignored, as CPython does.</param>
    public CPythonRandom(BigInteger seed) => Seed(seed);

    /// <summary>Starts the stream anew, as <c>random.seed(seed)</c> with an integer.</summary>
    public void Seed(BigInteger seed)
    {
        var magnitude = BigInteger.Abs(seed);
        Span<byte> bytes = stackalloc byte[64];
        var needed = Math.Max(4, (magnitude.GetByteCount(isUnsigned: true) + 3) / 4 * 4);
        bytes = needed <= bytes.Length ? bytes[..needed] : new byte[needed];
        bytes.Clear();
        magnitude.TryWriteBytes(bytes, out _, isUnsigned: true);
        Span<uint> key = stackalloc uint[16];
        key = needed / 4 <= key.Length ? key[..(needed / 4)] : new uint[needed / 4];
        for (var i = 0; i < key.Length; i++) key[i] = BitConverter.ToUInt32(bytes.Slice(4 * i, 4));
        InitByArray(key);
    }

    /// <summary>A double in [0, 1) of 53 random bits: <c>random()</c>.</summary>
    public double NextDouble()
    {
        var high = NextWord() >> 5;
        var low = NextWord() >> 6;
        return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
    }

    /// <summary>A number of <paramref name="bits"/> random bits: <c>getrandbits(bits)</c>.</summary>
    public BigInteger NextBits(int bits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bits);
        var value = BigInteger.Zero;
        for (var done = 0; done < bits; done += 32)
        {
            // The least significant word is drawn first, and the last one gives up its low bits.
            var word = NextWord() >> Math.Max(0, 32 - (bits - done));
            value |= (BigInteger)word << done;
        }

        return value;
    }

    /// <summary>A number from 0 to <paramref name="bound"/> − 1, uniformly: CPython's <c>_randbelow</c>, which redraws what is too large.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is below 1.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NextBelow(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var drop = BitOperations.LeadingZeroCount((uint)bound);
        uint value;
        do value = NextWord() >> drop;
        while (value >= (uint)bound);
        return (int)value;
    }

    /// <summary>As <see cref="NextBelow(int)"/>, for bounds of any size.</summary>
    public BigInteger NextBelow(BigInteger bound)
    {
        if (bound.Sign <= 0) throw new ArgumentOutOfRangeException(nameof(bound), bound, "must be at least 1");
        var bits = (int)bound.GetBitLength();
        BigInteger value;
        do value = NextBits(bits);
        while (value >= bound);
        return value;
    }

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>, both included: <c>randint(low, high)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NextInteger(int low, int high) => low + NextBelow(high - low + 1);

    /// <summary>One of the items: <c>choice(items)</c>.</summary>
    public T Choose<T>(IReadOnlyList<T> items) => items[NextBelow(items.Count)];

    /// <summary>Puts the items in random order, in place: <c>shuffle(items)</c>.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextBelow(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>
    /// <paramref name="count"/> different numbers below <paramref name="population"/>, in the order drawn: <c>sample(range(population), count)</c>.
    /// As in CPython, a large share is drawn from a shrinking pool and a small one by redrawing what was drawn before; the two give different numbers.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">More are asked for than there are.</exception>
    public int[] Sample(int population, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, population);
        var result = new int[count];
        double setSize = 21;
        if (count > 5) setSize += Math.Pow(4, Math.Ceiling(Math.Log(count * 3.0) / Math.Log(4.0)));
        if (population <= setSize)
        {
            var pool = new int[population];
            for (var i = 0; i < population; i++) pool[i] = i;
            for (var i = 0; i < count; i++)
            {
                var j = NextBelow(population - i);
                result[i] = pool[j];
                pool[j] = pool[population - i - 1];
            }

            return result;
        }

        var drawn = new HashSet<int>(count);
        for (var i = 0; i < count; i++)
        {
            int j;
            do j = NextBelow(population);
            while (!drawn.Add(j));
            result[i] = j;
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint NextWord()
    {
        if (_next >= N) Refill();
        var word = _state[_next++];
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c5680;
        word ^= (word << 15) & 0xefc60000;
        return word ^ (word >> 18);
    }

    private void Refill()
    {
        var state = _state;
        for (var i = 0; i < N; i++)
        {
            var word = (state[i] & 0x80000000) | (state[i + 1 < N ? i + 1 : 0] & 0x7fffffff);
            state[i] = state[i < N - M ? i + M : i + M - N] ^ (word >> 1) ^ ((word & 1) * 0x9908b0df);
        }

        _next = 0;
    }

    private void InitByArray(ReadOnlySpan<uint> key)
    {
        var state = _state;
        state[0] = 19650218;
        for (var k = 1; k < N; k++) state[k] = 1812433253 * (state[k - 1] ^ (state[k - 1] >> 30)) + (uint)k;
        int i = 1, j = 0;
        for (var k = Math.Max(N, key.Length); k > 0; k--)
        {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525)) + key[j] + (uint)j;
            if (++i >= N) Wrap(state, out i);
            if (++j >= key.Length) j = 0;
        }

        for (var k = N - 1; k > 0; k--)
        {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941)) - (uint)i;
            if (++i >= N) Wrap(state, out i);
        }

        state[0] = 0x80000000;
        _next = N;
    }

    private static void Wrap(uint[] state, out int i)
    {
        state[0] = state[N - 1];
        i = 1;
    }
}
