namespace Ssti.Defenses.Data.Statistics;

/// <summary>ln n!: from a table of sums up to 1023, above by Stirling's series, whose first left-out term is below 1e-18 there.</summary>
internal static class LogFactorials
{
    private static readonly double[] Small = Table();

    public static double Of(long n)
    {
        if (n < Small.Length) return Small[n];
        double x = n, inverse = 1 / x, square = inverse * inverse;
        return (x + 0.5) * Math.Log(x) - x + 0.91893853320467274178 + inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
    }

    private static double[] Table()
    {
        var table = new double[1024];
        for (var n = 2; n < table.Length; n++) table[n] = table[n - 1] + Math.Log(n);
        return table;
    }
}
