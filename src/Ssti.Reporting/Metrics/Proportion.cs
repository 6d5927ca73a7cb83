namespace Ssti.Reporting.Metrics;

/// <summary>A share of rows, with the uncertainty that comes from having counted only so many.</summary>
/// <param name="Count">Rows that have the property.</param>
/// <param name="Total">Rows looked at, at least 1.</param>
public sealed record Proportion(long Count, long Total)
{
    // The 97.5 % point of the standard normal distribution: two-sided 95 %.
    private const double Z = 1.959963984540054;

    /// <summary>Rows that have the property.</summary>
    public long Count { get; } = Total > 0 && Count >= 0 && Count <= Total
        ? Count
        : throw new ArgumentException($"{Count} of {Total} is not a proportion");

    /// <summary>Count / Total, in 0..1.</summary>
    public double Rate => (double)Count / Total;

    /// <summary>
    /// The 95 % Wilson score interval (Wilson 1927): (p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n), z = 1.96. Unlike the
    /// textbook p̂ ± z·√(p̂(1−p̂)/n) it keeps a width at 0 % and 100 %, where attack success rates live.
    /// </summary>
    public Interval Wilson95
    {
        get
        {
            double n = Total, squared = Z * Z / n;
            var centre = Rate + squared / 2;
            var half = Z * Math.Sqrt(Rate * (1 - Rate) / n + squared / (4 * n));
            return new(Math.Max(0, (centre - half) / (1 + squared)), Math.Min(1, (centre + half) / (1 + squared)));
        }
    }
}

/// <summary>A range of values, both ends included.</summary>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
public readonly record struct Interval(double Low, double High);
