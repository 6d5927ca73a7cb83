namespace Ssti.Reporting.Metrics;

/// <summary>A sum over rows divided by another, such as words changed by words: with the uncertainty of rows, since the words of a row are not independent.</summary>
public sealed class RatioOfSums
{
    // The 97.5 % point of the standard normal distribution.
    private const double Z = 1.959963984540054;

    private double _part, _whole, _partPart, _partWhole, _wholeWhole;

    /// <summary>Rows added.</summary>
    public long Rows { get; private set; }

    /// <summary>Adds a row.</summary>
    public void Add(double part, double whole)
    {
        Rows++;
        _part += part;
        _whole += whole;
        _partPart += part * part;
        _partWhole += part * whole;
        _wholeWhole += whole * whole;
    }

    /// <summary>The ratio of the sums r = Σy / Σx; null where the divisor is 0.</summary>
    public double? Value => _whole > 0 ? _part / _whole : null;

    /// <summary>Its 95 % interval by the linearised variance of a ratio (Cochran 1977, §6.4), r ± 1.96·√(n/(n−1)·Σ(y−rx)²)/Σx, not below 0; null below two rows.</summary>
    public Interval? Confidence95
    {
        get
        {
            if (Value is not { } ratio || Rows < 2) return null;
            var squares = Math.Max(0, _partPart - 2 * ratio * _partWhole + ratio * ratio * _wholeWhole);
            var half = Z * Math.Sqrt(squares * Rows / (Rows - 1)) / _whole;
            return new(Math.Max(0, ratio - half), ratio + half);
        }
    }
}
