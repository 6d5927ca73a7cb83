namespace Ssti.Defenses.Data.Statistics;

/// <summary>What many tests at once may claim together.</summary>
public static class ManyTests
{
    /// <summary>
    /// Benjamini and Hochberg 1995: for each p-value the smallest rate of false discoveries at which it is one. Holds for independent
    /// tests and for those that depend positively on one
    /// another (Benjamini and Yekutieli 2001, PRDS); not in general.
    /// </summary>
    /// <param name="p">The p-values of those tests that may be discoveries.</param>
    /// <param name="tests">How many tests there were in all: others count with p = 1.</param>
    public static double[] FalseDiscoveryRates(IReadOnlyList<double> p, long tests)
    {
        if (tests < p.Count) throw new ArgumentException($"{p.Count} p-values of {tests} tests");
        var order = Enumerable.Range(0, p.Count).OrderBy(index => p[index]).ToArray();
        var rates = new double[p.Count];
        var least = 1.0;
        for (var rank = order.Length; rank >= 1; rank--)
        {
            least = Math.Min(least, p[order[rank - 1]] * tests / rank);
            rates[order[rank - 1]] = least;
        }

        return rates;
    }

    /// <summary>
    /// Tarone 1990: by how many tests a level has to be divided so that the chance of any false alarm stays below it, however the tests
    /// depend on one another. A test that even its most
    /// extreme outcome could not make an alarm needs no share of the level.
    /// </summary>
    /// <param name="attainable">Of each test the smallest p-value that it could have had.</param>
    /// <param name="level">The chance of any false alarm.</param>
    /// <returns>The divisor, at least 1.</returns>
    public static long Divisor(IEnumerable<double> attainable, double level)
    {
        double[] sorted = [.. attainable.Order()];
        // The smallest k for which at most k tests could reach level / k.
        for (var k = 1L; ; k++)
        {
            if (CountUpTo(sorted, level / k) <= k) return k;
        }
    }

    private static int CountUpTo(double[] sorted, double bound)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] <= bound) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
