using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ssti.Nets;

/// <summary>
/// Draws dropout masks: eight xoshiro128++ generators (Blackman and Vigna 2021) side by side in one vector register.
/// </summary>
/// <remarks>
/// libtorch's CPU generator draws one number at a time, 6 ns each, on one thread: a quarter of a training step of a small BERT went there.
/// This takes a thirtieth of that. The numbers are the same on every processor: where there are no vector registers of this width, .NET
/// computes them in parts.
/// </remarks>
internal sealed class KeepMask
{
    private readonly Vector256<uint>[] _state = new Vector256<uint>[4];

    /// <summary>Starts the stream of a seed.</summary>
    public void Reseed(ulong seed)
    {
        Span<uint> words = stackalloc uint[32];
        for (var i = 0; i < words.Length; i += 2)
        {
            var word = SplitMix64(ref seed);
            (words[i], words[i + 1]) = ((uint)word, (uint)(word >> 32));
        }

        for (var i = 0; i < 4; i++) _state[i] = Vector256.Create<uint>(words[(8 * i)..]);
    }

    /// <summary>Where the stream is, to go back to: see <see cref="Return"/>.</summary>
    public Vector256<uint>[] Mark() => [.. _state];

    /// <summary>Goes back to where the stream was.</summary>
    public void Return(Vector256<uint>[] mark) => mark.CopyTo(_state, 0);

    /// <summary>Fills with 0, with a probability, or else with 1/(1−probability), so that the mean is 1.</summary>
    public void Fill(Span<float> mask, double probability)
    {
        var (s0, s1, s2, s3) = (_state[0], _state[1], _state[2], _state[3]);
        // A draw below the bound, taken as signed, keeps the value: 2³² equally likely draws, of which a share of 1−p is below it.
        var bound = Vector256.Create((int)Math.Clamp(Math.Round(int.MinValue + (1 - probability) * 4294967296.0), int.MinValue, int.MaxValue));
        var scale = Vector256.Create((float)(1 / (1 - probability)));
        ref var start = ref MemoryMarshal.GetReference(mask);
        var whole = mask.Length & ~7;
        for (var i = 0; i < whole; i += 8) Next(ref s0, ref s1, ref s2, ref s3, bound, scale).StoreUnsafe(ref start, (nuint)i);
        if (whole < mask.Length)
        {
            Span<float> rest = stackalloc float[8];
            Next(ref s0, ref s1, ref s2, ref s3, bound, scale).CopyTo(rest);
            rest[..(mask.Length - whole)].CopyTo(mask[whole..]);
        }

        (_state[0], _state[1], _state[2], _state[3]) = (s0, s1, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Next(
        ref Vector256<uint> s0, ref Vector256<uint> s1, ref Vector256<uint> s2, ref Vector256<uint> s3, Vector256<int> bound, Vector256<float> scale)
    {
        var sum = s0 + s3;
        var draw = (Vector256.ShiftLeft(sum, 7) | Vector256.ShiftRightLogical(sum, 25)) + s0;
        var t = Vector256.ShiftLeft(s1, 9);
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = Vector256.ShiftLeft(s3, 11) | Vector256.ShiftRightLogical(s3, 21);
        return Vector256.LessThan(draw.AsInt32(), bound).AsSingle() & scale;
    }

    // Steele, Lea and Flood 2014: what xoshiro's authors recommend for seeding it.
    private static ulong SplitMix64(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
