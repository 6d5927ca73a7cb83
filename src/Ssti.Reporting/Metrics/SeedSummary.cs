namespace Ssti.Reporting.Metrics;

/// <summary>A metric over repeated runs, such as three seeds.</summary>
/// <param name="Values">One value a run, at least one.</param>
public sealed record SeedSummary(IReadOnlyList<double> Values)
{
    /// <summary>One value a run.</summary>
    public IReadOnlyList<double> Values { get; } = Values.Count > 0 ? Values : throw new ArgumentException("no runs to summarise");

    /// <summary>The number of runs n.</summary>
    public int Runs => Values.Count;

    /// <summary>The arithmetic mean.</summary>
    public double Mean => Values.Average();

    /// <summary>The smallest value.</summary>
    public double Min => Values.Min();

    /// <summary>The largest value.</summary>
    public double Max => Values.Max();

    /// <summary>The sample standard deviation √(Σ(x−x̄)² / (n−1)); null for a single run, which says nothing of spread.</summary>
    public double? StandardDeviation
    {
        get
        {
            if (Runs < 2) return null;
            var mean = Mean;
            return Math.Sqrt(Values.Sum(value => (value - mean) * (value - mean)) / (Runs - 1));
        }
    }

    /// <summary>
    /// The 95 % confidence interval of the mean over runs: x̄ ± t(0.975; n−1)·s/√n (Student 1908); null for a single run.
    /// With three runs t is 4.30, so it is wide, as it should be.
    /// </summary>
    public Interval? Confidence95 => StandardDeviation is { } deviation
        ? new Interval(Mean - Half(deviation), Mean + Half(deviation))
        : null;

    private double Half(double deviation) => StudentT.Quantile975(Runs - 1) * deviation / Math.Sqrt(Runs);
}
