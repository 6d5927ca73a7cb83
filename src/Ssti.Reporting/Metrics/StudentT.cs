namespace Ssti.Reporting.Metrics;

/// <summary>Student's t distribution, for whole degrees of freedom.</summary>
internal static class StudentT
{
    /// <summary>The t with P(|T| ≤ t) = 0.95, to about 1e-12.</summary>
    public static double Quantile975(int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        double low = 1.9, high = 13; // z = 1.96 at infinity, 12.71 at one degree
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            if (Within(middle, degrees) < 0.95) low = middle;
            else high = middle;
        }

        return (low + high) / 2;
    }

    /// <summary>P(|T| ≤ t): the finite series of Abramowitz and Stegun, 26.7.3 (odd degrees) and 26.7.4 (even).</summary>
    private static double Within(double t, int degrees)
    {
        var theta = Math.Atan(t / Math.Sqrt(degrees));
        var cos = Math.Cos(theta);
        var odd = degrees % 2 == 1;
        double term = odd ? cos : 1, sum = degrees == 1 ? 0 : term;
        for (var k = odd ? 3 : 2; k <= degrees - 2; k += 2)
        {
            term *= (k - 1.0) / k * cos * cos;
            sum += term;
        }

        return odd ? 2 / Math.PI * (theta + Math.Sin(theta) * sum) : Math.Sin(theta) * sum;
    }
}
