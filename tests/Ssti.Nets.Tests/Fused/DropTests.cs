using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ssti.Nets.Fused;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Fused;

public class DropTests
{
    /// <summary>The vector of Random123's own tests (kat_vectors, philox4x32 with 7 rounds, counter and key zero).</summary>
    [Fact]
    public void Draws_are_philox()
    {
        Span<ushort> draws = stackalloc ushort[8];
        new Drop(0, 0, 0.5).Draw(0, 0, 1, draws);
        Assert.Equal([0xb709, 0x5f6f, 0x3f64, 0x0d89, 0x1f81, 0x4f12, 0x0a48, 0x4f73], draws.ToArray());
    }

    [Fact]
    public void Sites_places_and_seeds_draw_apart()
    {
        var all = new HashSet<string>();
        Span<ushort> draws = stackalloc ushort[8];
        foreach (var (seed, site, place) in new[] { (1ul, 1u, 0u), (2ul, 1u, 0u), (1ul << 32, 1u, 0u), (1ul, 2u, 0u), (1ul, 1u, 1u) })
        {
            new Drop(seed, site, 0.1).Draw(place, 0, 1, draws);
            Assert.True(all.Add(string.Join(',', draws.ToArray())));
        }
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.05)]
    [InlineData(0.5)]
    public void The_mean_of_a_mask_is_one(double probability)
    {
        var drop = new Drop(5, 3, probability);
        Span<ushort> draws = stackalloc ushort[8];
        var (sum, dropped) = (0.0, 0);
        const int places = 20000;
        for (var place = 0u; place < places; place++)
        {
            drop.Draw(place, 0, 1, draws);
            foreach (var draw in draws)
            {
                sum += draw < drop.Threshold ? 0 : drop.Scale;
                dropped += draw < drop.Threshold ? 1 : 0;
            }
        }

        Assert.Equal(probability, dropped / (8.0 * places), 0.005);
        Assert.Equal(1, sum / (8 * places), 0.01);
    }

    /// <summary>The kernels read it byte for byte.</summary>
    [Fact]
    public void It_is_laid_out_as_the_kernels_have_it()
    {
        Assert.Equal(32, Unsafe.SizeOf<Drop>());
        using var seeds = tensor(new long[] { 1, 2 });
        var drop = new Drop(0x1122334455667788, 3, 0.5).Among(seeds, 7);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Drop>(in drop));
        Assert.Equal(drop.Seed, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        Assert.Equal(drop.Seeds, (nint)BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
        Assert.Equal(32768u, BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]));
        Assert.Equal(2f, BinaryPrimitives.ReadSingleLittleEndian(bytes[24..]));
        Assert.Equal(7u, BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]));
    }

    [Fact]
    public void Rows_of_several_streams_are_drawn_as_each_draws_alone()
    {
        using var seeds = tensor(new long[] { 5, 6 });
        var all = new Drop(5, 2, 0.1).Among(seeds, 3);
        Span<ushort> together = stackalloc ushort[8], alone = stackalloc ushort[8];
        for (var row = 0u; row < 6; row++)
        {
            all.Draw(row, 1, 2, together);
            new Drop(row < 3 ? 5ul : 6ul, 2, 0.1).Draw(row % 3, 1, 2, alone);
            Assert.Equal(alone, together);
        }
    }

    [Fact]
    public void A_probability_of_zero_drops_nothing()
    {
        Assert.False(new Drop(1, 1, 0).Drops);
        Assert.Equal(1, new Drop(1, 1, 0).Scale);
    }
}
