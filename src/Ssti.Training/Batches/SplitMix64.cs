namespace Ssti.Training.Batches;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): a small generator whose stream is the same on every platform.</summary>
internal struct SplitMix64(ulong seed)
{
    private const ulong Increment = 0x9E3779B97F4A7C15UL;

    private ulong _state = seed;

    /// <summary>
    /// The stream of one epoch or update. Its start is scrambled: starts that differ by the generator's own increment would give
    /// the same stream shifted by one draw.
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">Keeps streams for different purposes apart.</param>
    /// <param name="number">Which of them, from 0.</param>
    public static SplitMix64 Of(long seed, ulong purpose, long number)
    {
        var start = new SplitMix64(unchecked((ulong)seed ^ purpose));
        start = new SplitMix64(unchecked(start.Next() + (ulong)number));
        return new SplitMix64(start.Next());
    }

    public ulong Next()
    {
        var z = _state += Increment;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, bound), without bias (Lemire 2019).</summary>
    public ulong Below(ulong bound)
    {
        while (true)
        {
            var product = Math.BigMul(Next(), bound, out var low);
            if (low >= bound || low >= unchecked(0 - bound) % bound) return product;
        }
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));
}
