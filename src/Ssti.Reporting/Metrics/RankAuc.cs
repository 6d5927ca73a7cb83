namespace Ssti.Reporting.Metrics;

/// <summary>
/// How well a score tells two groups apart: the share of pairs in which the one of the first group scores higher, ties half (the area under the ROC curve). 0.5 tells
/// nothing, 1 everything, 0 everything the wrong way round.
/// </summary>
/// <param name="Value">The area.</param>
/// <param name="Interval95">Its 95 % interval; null where a group has one row alone, and not all pairs are the same way round.</param>
/// <remarks>
/// <para>The interval is DeLong's (1988), normal, cut at 0 and 1. It narrows to nothing where the groups are told apart without an error, however few
/// they are, so that it never is surer than such a separation can be: of the pairs, k = min(m, n) have no member in common and are independent, so that
/// all of them are the right way round with a chance of at most θᵏ, whatever the distributions, and of just that where one group lies wholly on either
/// side of the other. So θ ≥ 0.025^(1/k) at 97.5 % (Clopper and Pearson's bound of k in k, 1934), and of an area below 1 no more can be known than of
/// 1. Below, the same the other way round.</para>
/// <para>Where every pair is a tie, the same bound holds for the share of ties.</para>
/// </remarks>
public sealed record RankAuc(double Value, Interval? Interval95)
{
    /// <summary>What its interval is, for a measure's definition.</summary>
    public const string IntervalDefinition = "DeLong's interval, no surer than a separation without an error is";

    // The 97.5 % point of the standard normal distribution.
    private const double Z = 1.959963984540054, Tail = 0.025;

    /// <summary>The area of two groups' scores; null where one is empty.</summary>
    public static RankAuc? Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count == 0 || second.Count == 0) return null;
        var (above, below) = (Placements(first, second), Placements(second, first));
        var value = above.Average();
        var sure = Math.Pow(Tail, 1.0 / Math.Min(first.Count, second.Count));
        if (value is 0 or 1) return new(value, value == 1 ? new Interval(sure, 1) : new Interval(0, 1 - sure));
        if (first.Count < 2 || second.Count < 2) return new(value, null);
        var half = Z * Math.Sqrt(Variance(above) / first.Count + Variance(below) / second.Count);
        // Neither group varies, and they are not apart: every pair is a tie.
        if (half == 0) return new(value, new Interval(sure / 2, 1 - (sure / 2)));
        return new(value, new Interval(Math.Max(0, Math.Min(value - half, sure)), Math.Min(1, Math.Max(value + half, 1 - sure))));
    }

    // Of each score the share of the others that lie below it.
    private static double[] Placements(IReadOnlyList<double> scores, IReadOnlyList<double> others)
    {
        double[] sorted = [.. others.Order()];
        return [.. scores.Select(score => (Count(sorted, score, orEqual: false) + Count(sorted, score, orEqual: true)) / 2.0 / sorted.Length)];
    }

    private static int Count(double[] sorted, double score, bool orEqual)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < score || (orEqual && sorted[middle] == score)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static double Variance(double[] values) => Math.Pow(new SeedSummary(values).StandardDeviation!.Value, 2);
}
