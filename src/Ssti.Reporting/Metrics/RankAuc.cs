namespace Ssti.Reporting.Metrics;

/// <summary>
/// How well a score tells two groups apart: the share of pairs in which the one of the first group scores higher, ties half (the area under the ROC curve). 0.5 tells
/// nothing, 1 everything, 0 everything the wrong way round.
/// </summary>
/// <param name="Value">The area.</param>
/// <param name="Interval95">Its 95 % interval by DeLong's variance (1988), normal, cut at 0 and 1; null where a group has one row alone.</param>
public sealed record RankAuc(double Value, Interval? Interval95)
{
    // The 97.5 % point of the standard normal distribution.
    private const double Z = 1.959963984540054;

    /// <summary>The area of two groups' scores; null where one is empty.</summary>
    public static RankAuc? Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count == 0 || second.Count == 0) return null;
        var (above, below) = (Placements(first, second), Placements(second, first));
        var value = above.Average();
        if (first.Count < 2 || second.Count < 2) return new(value, null);
        var half = Z * Math.Sqrt(Variance(above) / first.Count + Variance(below) / second.Count);
        return new(value, new Interval(Math.Max(0, value - half), Math.Min(1, value + half)));
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
