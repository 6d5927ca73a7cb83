using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests.Metrics;

public sealed class RankAucTests
{
    private static readonly double[] Nine = [.. Enumerable.Range(0, 9).Select(value => (double)value)];

    [Theory]
    [InlineData(new[] { 3.0, 4 }, new[] { 1.0, 2 }, 1.0)]
    [InlineData(new[] { 1.0, 2 }, new[] { 3.0, 4 }, 0.0)]
    [InlineData(new[] { 1.0, 1 }, new[] { 1.0, 1 }, 0.5)]
    [InlineData(new[] { 1.0, 3 }, new[] { 2.0, 3 }, 0.375)]
    public void The_area_is_the_share_of_pairs_with_ties_half(double[] first, double[] second, double area) => Assert.Equal(area, RankAuc.Of(first, second)!.Value);

    [Fact]
    public void Of_an_empty_group_there_is_none() => Assert.Null(RankAuc.Of([], [1]) ?? RankAuc.Of([1], []));

    [Fact]
    public void DeLongs_interval_is_that_of_the_placements()
    {
        // Of 3, 2, 5 the shares of 2, 1 that lie below (a tie is half), and the other way round.
        double[] first = [.. Enumerable.Repeat(new[] { 3.0, 2, 5 }, 20).SelectMany(values => values)],
            second = [.. Enumerable.Repeat(new[] { 2.0, 1 }, 30).SelectMany(values => values)];
        var area = RankAuc.Of(first, second)!;
        Assert.Equal(11.0 / 12, area.Value, 12);
        double[] above = [.. first.Select(value => value == 2 ? 0.75 : 1)], below = [.. second.Select(value => value == 2 ? 1 / 6.0 : 0)];
        var half = 1.959963984540054 * Math.Sqrt((Variance(above) / 60) + (Variance(below) / 60));
        Assert.Equal(area.Value - half, area.Interval95!.Value.Low, 12);
        Assert.Equal(area.Value + half, area.Interval95.Value.High, 12);

        static double Variance(double[] values) => values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);
    }

    /// <summary>By hand: of k pairs without a common member all agree with a chance of θᵏ at most; 0.025 = θ³ at θ = 0.2924, and 0.025 = θ⁸ at 0.6306.</summary>
    [Theory]
    [InlineData(3, 5, 0.292402)]
    [InlineData(5, 3, 0.292402)]
    [InlineData(8, 8, 0.630583)]
    [InlineData(1, 4, 0.025)]
    public void A_separation_without_an_error_is_as_sure_as_its_smaller_group_allows(int first, int second, double low)
    {
        double[] high = [.. Enumerable.Range(10, first).Select(value => (double)value)], lower = [.. Enumerable.Range(0, second).Select(value => (double)value)];
        var area = RankAuc.Of(high, lower)!;
        Assert.Equal((1, 1), (area.Value, area.Interval95!.Value.High));
        Assert.Equal(low, area.Interval95.Value.Low, 6);
        var opposite = RankAuc.Of(lower, high)!;
        Assert.Equal((0, 0), (opposite.Value, opposite.Interval95!.Value.Low));
        Assert.Equal(1 - low, opposite.Interval95.Value.High, 6);
    }

    [Fact]
    public void An_area_below_1_is_no_surer_than_1()
    {
        // One pair of 81 is a tie.
        var nearly = RankAuc.Of([.. Nine.Select(value => value + 8)], Nine)!;
        Assert.InRange(nearly.Value, 0.99, 0.9999);
        Assert.Equal(RankAuc.Of([.. Nine.Select(value => value + 9)], Nine)!.Interval95!.Value.Low, nearly.Interval95!.Value.Low);
        // Where DeLong's is the wider, it is his.
        var middling = RankAuc.Of([.. Nine.Select(value => value + 1)], Nine)!;
        Assert.InRange(middling.Interval95!.Value.Low, 0.2, 0.4);
    }

    [Fact]
    public void Where_every_pair_is_a_tie_it_has_a_width_too()
    {
        var area = RankAuc.Of([1, 1, 1], [1, 1])!;
        Assert.Equal(0.5, area.Value);
        Assert.Equal(Math.Sqrt(0.025) / 2, area.Interval95!.Value.Low, 12);
        Assert.Equal(1 - (Math.Sqrt(0.025) / 2), area.Interval95.Value.High, 12);
    }

    /// <summary>
    /// The hardest case there is: one group lies wholly on either side of the other, by one throw each. DeLong's alone holds it in 83 % of such samples, since a sixth of them
    /// (0.8⁸) shows no error at all.
    /// </summary>
    [Fact]
    public void It_holds_the_true_area_as_often_as_it_says_where_samples_are_small()
    {
        var random = new Random(1);
        var (held, samples) = (0, 4000);
        for (var sample = 0; sample < samples; sample++)
        {
            double[] first = [.. Enumerable.Range(0, 8).Select(_ => random.NextDouble() < 0.8 ? 2.0 + random.NextDouble() : random.NextDouble() - 1)];
            double[] second = [.. Enumerable.Range(0, 8).Select(_ => random.NextDouble())];
            if (RankAuc.Of(first, second)!.Interval95 is { } interval && interval.Low <= 0.8 && interval.High >= 0.8) held++;
        }

        Assert.InRange((double)held / samples, 0.9, 1);
    }
}
