namespace Ssti.Defenses.Data.Statistics;

/// <summary>
/// One-sided exact tests of counts, and the bounds that come of them. Everything is summed from the observed count outwards, where terms
/// fall at least geometrically, so that
/// a tail costs as many terms as matter to a double, however large the counts.
/// </summary>
public static class ExactTests
{
    private const double Enough = 1e-17;
    private const int Halvings = 60;

    /// <summary>
    /// P(X ≥ hits) where X of <paramref name="draws"/> rows drawn without replacement from <paramref name="rows"/>, of which <paramref
    /// name="marked"/> are of the class.
    /// </summary>
    /// <remarks>Fisher's exact test, one-sided: what is left when labels are shuffled over the rows, so that it needs no assumption but
    /// that.</remarks>
    public static double HypergeometricUpper(long hits, long draws, long marked, long rows)
    {
        Require(hits >= 0 && draws >= hits && marked >= 0 && rows >= marked && rows >= draws, $"{hits} of {draws} drawn from {marked} of {rows}");
        var (least, most) = (Math.Max(0, draws + marked - rows), Math.Min(draws, marked));
        if (hits <= least) return 1;
        if (hits > most) return 0;
        // Below the mean the lower tail is the one that ends soon.
        if ((double)hits * rows < (double)draws * marked) return 1 - Sum(hits - 1, least, -1);
        return Sum(hits, most, 1);

        double Sum(long from, long to, int step)
        {
            var term = Math.Exp(LogChoose(marked, from) + LogChoose(rows - marked, draws - from) - LogChoose(rows, draws));
            var sum = term;
            for (var x = from; x != to && term > sum * Enough; x += step)
            {
                term *= step > 0
                    ? (double)(marked - x) / (x + 1) * (draws - x) / (rows - marked - draws + x + 1)
                    : (double)x / (marked - x + 1) * (rows - marked - draws + x) / (draws - x + 1);
                sum += term;
            }

            return Math.Min(1, sum);
        }
    }

    /// <summary>
    /// P(X ≥ hits), X binomial of <paramref name="draws"/> rows that each are of the class with probability <paramref name="share"/>.
    /// </summary>
    public static double BinomialUpper(long hits, long draws, double share)
    {
        Require(hits >= 0 && draws >= hits && share is >= 0 and <= 1, $"{hits} of {draws} at {share}");
        if (hits == 0 || share == 1) return 1;
        if (share == 0) return 0;
        if (hits < draws * share) return 1 - Sum(hits - 1, 0, -1);
        return Sum(hits, draws, 1);

        double Sum(long from, long to, int step)
        {
            var odds = share / (1 - share);
            var term = Math.Exp(LogChoose(draws, from) + (from * Math.Log(share)) + ((draws - from) * Math.Log(1 - share)));
            var sum = term;
            for (var x = from; x != to && term > sum * Enough; x += step)
            {
                term *= step > 0 ? (double)(draws - x) / (x + 1) * odds : x / (double)(draws - x + 1) / odds;
                sum += term;
            }

            return Math.Min(1, sum);
        }
    }

    /// <summary>
    /// The one-sided lower bound of a share (Clopper and Pearson 1934): the smallest share under which so many hits have at least the
    /// probability <paramref name="level"/>.
    /// </summary>
    public static double LowerBound(long hits, long draws, double level)
    {
        if (hits == 0) return 0;
        if (hits == draws) return Math.Exp(Math.Log(level) / draws);
        double low = 0, high = (double)hits / draws;
        for (var step = 0; step < Halvings; step++)
        {
            var middle = (low + high) / 2;
            if (BinomialUpper(hits, draws, middle) < level) low = middle;
            else high = middle;
        }

        return low;
    }

    /// <summary>Gardner et al. 2021: how many standard errors p(y|t) lies above the class's share, √n·(p(y|t) − p(y)) / √(p(y)·(1 − p(y))).</summary>
    /// <returns>Null for a class that no row or every row is of.</returns>
    public static double? Z(long hits, long draws, double share) =>
        share is > 0 and < 1 ? ((double)hits / draws - share) / Math.Sqrt(share * (1 - share) / draws) : null;

    /// <summary>
    /// Whether the normal distribution stands in for the binomial: at least five rows are expected in the class and outside it (the usual
    /// rule).
    /// </summary>
    public static bool IsNearNormal(long draws, double share) => draws * share >= 5 && draws * (1 - share) >= 5;

    /// <summary>P(Z ≥ z) of the standard normal distribution; no underflow to 0 before z = 38.</summary>
    public static double NormalUpper(double z) => 0.5 * ErrorFunction.Complement(z / Math.Sqrt(2));

    internal static double LogChoose(long of, long picked) => LogFactorials.Of(of) - LogFactorials.Of(picked) - LogFactorials.Of(of - picked);

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new ArgumentException($"no such counts: {what}");
    }
}
