using System.Text.Json.Nodes;
using Ssti.Defenses.Data;
using Ssti.Defenses.Data.Statistics;

namespace Ssti.Defenses.Tests.Data;

/// <summary>Against scipy: Golden/statistics.py wrote what it says.</summary>
public sealed class ExactTestsTests
{
    private static readonly JsonNode Golden = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden/statistics.json")))!;

    [Fact]
    public void Fishers_test_is_scipys() => Each("fisher", one =>
        Close(Number(one, "p"), ExactTests.HypergeometricUpper(Whole(one, "hits"), Whole(one, "draws"), Whole(one, "marked"), Whole(one, "rows")), one));

    [Fact]
    public void The_binomial_test_is_scipys() => Each("binomial", one =>
        Close(Number(one, "p"), ExactTests.BinomialUpper(Whole(one, "hits"), Whole(one, "draws"), Number(one, "share")), one));

    [Fact]
    public void The_lower_bound_is_Clopper_and_Pearsons() => Each("lower", one =>
        Close(Number(one, "bound"), ExactTests.LowerBound(Whole(one, "hits"), Whole(one, "draws"), Number(one, "level")), one));

    [Fact]
    public void Z_is_Gardners_with_the_class_share() => Each("gardner", one =>
        Close(Number(one, "z"), ExactTests.Z(Whole(one, "hits"), Whole(one, "draws"), Number(one, "share"))!.Value, one));

    [Fact]
    public void The_normal_tail_is_scipys() => Each("normal", one => Close(Number(one, "p"), ExactTests.NormalUpper(Number(one, "z")), one));

    [Fact]
    public void False_discovery_rates_are_Benjamini_and_Hochbergs_in_whatever_order()
    {
        double[] p = [.. Golden["bh"]!["p"]!.AsArray().Select(value => (double)value!)], q = [.. Golden["bh"]!["q"]!.AsArray().Select(value => (double)value!)];
        int[] order = [5, 2, 11, 0, 7, 3, 9, 1, 4, 10, 8, 6];
        var found = ManyTests.FalseDiscoveryRates([.. order.Select(index => p[index])], p.Length);
        foreach (var (at, index) in order.Index()) Assert.Equal(q[index], found[at], 1e-12);
    }

    [Fact]
    public void Entropy_and_information_are_scipys() => Each("words", one =>
    {
        int[] counts = [.. one["counts"]!.AsArray().Select(count => (int)count!)];
        var tested = Tested(counts);
        Close(Number(one, "entropy"), tested.Bits, one);
        Close(Number(one, "pmi"), tested.Information, one);
    });

    [Fact]
    public void Tarones_divisor_counts_the_tests_that_could_reach_the_level_alone()
    {
        // Worked by hand: at 0.05 / 3 three tests can be significant, at 0.05 / 2 three can as well, which is more than two.
        Assert.Equal(3, ManyTests.Divisor([0.001, 0.002, 0.016, 0.2, 0.5, 0.9], 0.05));
        Assert.Equal(1, ManyTests.Divisor([0.2, 0.5], 0.05));
        Assert.Equal(1, ManyTests.Divisor([], 0.05));
    }

    [Fact]
    public void The_rejection_line_is_where_the_exact_test_rejects()
    {
        foreach (var rows in new long[] { 10, 44, 45, 150, 3000 })
        {
            var line = DetectionPower.Rejected(rows, 0.9, 0.01);
            for (var hits = 0L; hits <= rows; hits++) Assert.Equal(ExactTests.BinomialUpper(hits, rows, 0.9) <= 0.01, line is { } least && hits >= least);
        }
    }

    [Theory]
    [InlineData(5, 4, 3, 10)]
    [InlineData(-1, 4, 3, 10)]
    [InlineData(1, 11, 3, 10)]
    [InlineData(1, 4, 11, 10)]
    public void Impossible_counts_are_refused(long hits, long draws, long marked, long rows) =>
        Assert.Throws<ArgumentException>(() => ExactTests.HypergeometricUpper(hits, draws, marked, rows));

    private static TestedFeature Tested(int[] counts) => new(new CountedFeature(new Feature(FeatureKind.Word, "w"), counts), Array.IndexOf(counts, counts.Max()))
    {
        ClassShare = 0.4, Z = null, IsNearNormal = false, P = 1, Q = 1, LowerBound = 0, Bound = 0.9,
    };

    private static void Each(string name, Action<JsonNode> check)
    {
        var all = Golden[name]!.AsArray();
        Assert.NotEmpty(all);
        foreach (var one in all) check(one!);
    }

    // Sums of logarithms of factorials lose some digits at a million rows.
    private static void Close(double expected, double found, JsonNode of) =>
        Assert.True(Math.Abs(expected - found) <= 1e-8 * Math.Max(Math.Abs(expected), 1e-290), $"expected {expected:R}, found {found:R}: {of.ToJsonString()}");

    private static long Whole(JsonNode one, string name) => (long)one[name]!;

    private static double Number(JsonNode one, string name) => (double)one[name]!;
}
