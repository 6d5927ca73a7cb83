using System.Runtime.InteropServices;

namespace Ssti.Nets.Fused;

/// <summary>
/// A dropout whose mask is a function of seed, site and place (Philox 4x32 with 7 rounds, Salmon et al. 2011), so that the backward pass draws it anew and
/// nothing of it is stored. Laid out as <c>kernels.cu</c> has it.
/// </summary>
/// <remarks>A value is dropped when its 16 bits lie below the threshold: probabilities are rounded to 65,536ths, and the scale fits the rounded one.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct Drop
{
    private const int Steps = 1 << 16;

    /// <summary>A dropout of a probability less than 1; of 0, it does nothing.</summary>
    public Drop(ulong seed, uint site, double probability)
    {
        (Seed, Site) = (seed, site);
        Threshold = Math.Min((uint)Math.Round(probability * Steps), Steps - 1);
        Scale = (float)((double)Steps / (Steps - Threshold));
        _unused = 0;
    }

    /// <summary>Which stream.</summary>
    public ulong Seed { get; }

    /// <summary>Which dropout of a step.</summary>
    public uint Site { get; }

    /// <summary>Draws below it drop a value; 0 for no dropout.</summary>
    public uint Threshold { get; }

    /// <summary>What the others are multiplied with.</summary>
    public float Scale { get; }

    // Fields stand in the order they are written down in: this one fills the last eight bytes.
    private readonly uint _unused;

    /// <summary>Whether it does anything.</summary>
    public bool Drops => Threshold > 0;

    /// <summary>The 16-bit draws of eight values in a row, the first of which is the eighth part of its index, <paramref name="place"/>.</summary>
    public void Draw(uint place, Span<ushort> draws)
    {
        var (c0, c1, c2, c3, k0, k1) = (place, Site, 0u, 0u, (uint)Seed, (uint)(Seed >> 32));
        for (var round = 0; round < 7; round++)
        {
            var (first, second) = (0xD2511F53UL * c0, 0xCD9E8D57UL * c2);
            (c0, c1, c2, c3) = ((uint)(second >> 32) ^ c1 ^ k0, (uint)second, (uint)(first >> 32) ^ c3 ^ k1, (uint)first);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        ReadOnlySpan<uint> bits = [c0, c1, c2, c3];
        for (var i = 0; i < 4; i++) (draws[2 * i], draws[(2 * i) + 1]) = ((ushort)bits[i], (ushort)(bits[i] >> 16));
    }
}
