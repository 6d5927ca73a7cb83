namespace Ssti.Defenses.Data.Statistics;

/// <summary>
/// The complement of the error function, by its series near 0 and its continued fraction (Abramowitz and Stegun 7.1.14, by Lentz's
/// method) beyond: to about 1e-14.
/// </summary>
internal static class ErrorFunction
{
    private const double Tiny = 1e-300;

    public static double Complement(double x)
    {
        if (x < 0) return 2 - Complement(-x);
        if (x < 2) return 1 - Series(x);
        // erfc x = exp(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
        double fraction = x, c = x, d = 0;
        for (var k = 1; k < 500; k++)
        {
            var a = k / 2.0;
            d = 1 / Away(x + (a * d));
            c = Away(x + (a / c));
            var change = c * d;
            fraction *= change;
            if (Math.Abs(change - 1) < 1e-16) break;
        }

        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / fraction;
    }

    private static double Series(double x)
    {
        double term = x, sum = x;
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum) && n < 200; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;
}
