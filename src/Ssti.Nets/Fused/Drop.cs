using System.Runtime.InteropServices;
using Ssti.Nets.Native;
using static TorchSharp.torch;

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
        (Seed, Seeds, Site, Part) = (seed, 0, site, 0);
        Threshold = Math.Min((uint)Math.Round(probability * Steps), Steps - 1);
        Scale = (float)((double)Steps / (Steps - Threshold));
    }

    // Fields stand in memory in the order of these.

    /// <summary>Which stream.</summary>
    public ulong Seed { get; }

    /// <summary>The address of the streams' seeds on the device, where parts of the rows have streams of their own; 0 where there is one.</summary>
    public nint Seeds { get; private init; }

    /// <summary>Which dropout of a step.</summary>
    public uint Site { get; }

    /// <summary>Draws below it drop a value; 0 for no dropout.</summary>
    public uint Threshold { get; }

    /// <summary>What the others are multiplied with.</summary>
    public float Scale { get; }

    /// <summary>How many rows have a stream of their own, which counts them from 0; 0 where there is one stream.</summary>
    public uint Part { get; private init; }

    /// <summary>Whether it does anything.</summary>
    public bool Drops => Threshold > 0;

    /// <summary>The same dropout of rows of several streams, each of which draws what it would have drawn alone.</summary>
    /// <param name="seeds">A seed a stream, int64; to be kept as long as this is used.</param>
    /// <param name="part">How many rows each has.</param>
    public Drop Among(Tensor seeds, uint part) => this with { Seeds = LibTorch.DataOf(seeds), Part = part };

    /// <summary>The 16-bit draws of eight values of a row, of seeds that lie in the processor's memory.</summary>
    /// <param name="row">The row.</param>
    /// <param name="eight">Which eight of the row.</param>
    /// <param name="width">How many eights a row has.</param>
    /// <param name="draws">Where they go.</param>
    public void Draw(uint row, uint eight, uint width, Span<ushort> draws)
    {
        var seed = Seed;
        if (Part > 0) (seed, row) = ((ulong)Marshal.ReadInt64(Seeds, (int)(row / Part) * sizeof(ulong)), row % Part);
        var (c0, c1, c2, c3, k0, k1) = ((row * width) + eight, Site, 0u, 0u, (uint)seed, (uint)(seed >> 32));
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
