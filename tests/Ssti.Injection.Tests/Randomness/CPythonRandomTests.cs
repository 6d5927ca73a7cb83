using System.Numerics;
using System.Text.Json.Nodes;
using Ssti.Injection.Randomness;

namespace Ssti.Injection.Tests.Randomness;

public sealed class CPythonRandomTests
{
    /// <summary>The upper ends of the reference's seven randint(0, …) calls.</summary>
    private static readonly long[] Ends = [1, 2, 10, 255, 255, 73413, 1L << 33];

    [SkippableFact]
    public void Every_method_follows_CPython_for_seeds_of_every_size_and_sign()
    {
        var cases = GoldenCases.Read("random").Single()["cases"]!.AsArray();
        Assert.Equal(8, cases.Count);
        foreach (var example in cases)
        {
            var random = new CPythonRandom(BigInteger.Parse((string)example!["seed"]!));
            Assert.Equal(example["random"]!.AsArray().Select(value => (double)value!), Times(5, _ => random.NextDouble()));
            Assert.Equal(Longs(example["randint"]!), Times(7, i => Ends[i] < int.MaxValue ? random.NextInteger(0, (int)Ends[i]) : (long)random.NextBelow((BigInteger)Ends[i] + 1)));
            Assert.Equal(Longs(example["choice"]!), Times(5, _ => (long)random.Choose(Enumerable.Range(0, 52).ToArray())));
            Assert.Equal(Longs(example["sample"]!), random.Sample(1000, 20).Select(value => (long)value));
            Assert.Equal(Longs(example["sample_small"]!), random.Sample(20, 19).Select(value => (long)value));
            var items = Enumerable.Range(0, 30).ToArray();
            random.Shuffle<int>(items);
            Assert.Equal(Longs(example["shuffle"]!), items.Select(value => (long)value));
            int[] bits = [1, 31, 32, 33, 64, 100];
            Assert.Equal(example["getrandbits"]!.AsArray().Select(value => BigInteger.Parse((string)value!)), bits.Select(random.NextBits));
        }
    }

    [Fact]
    public void A_stream_seeded_again_begins_again()
    {
        var random = new CPythonRandom(7);
        var first = Times(1000, _ => random.NextBelow(1000));
        random.Seed(-7);
        Assert.Equal(first, Times(1000, _ => random.NextBelow(1000)));
    }

    [Fact]
    public void Small_and_big_bounds_draw_alike()
    {
        var (small, big) = (new CPythonRandom(3), new CPythonRandom(3));
        foreach (var bound in new[] { 1, 2, 3, 7, 64, 1000, int.MaxValue }) Assert.Equal(small.NextBelow(bound), (int)big.NextBelow((BigInteger)bound));
    }

    [Fact]
    public void More_than_there_are_cannot_be_sampled() => Assert.Throws<ArgumentOutOfRangeException>(() => new CPythonRandom(0).Sample(3, 4));

    private static IEnumerable<long> Longs(JsonNode values) => values.AsArray().Select(value => (long)value!);

    private static T[] Times<T>(int count, Func<int, T> draw) => [.. Enumerable.Range(0, count).Select(draw)];
}
