using Ssti.Defenses.Data.Statistics;

namespace Ssti.Defenses.Data;

/// <summary>The smallest thing that an audit of this size finds, by its own rules; in texts, which near-duplicates together are one of.</summary>
/// <param name="Group">Of which features.</param>
/// <param name="Class">Of which class.</param>
/// <param name="Pure">Texts that a feature of no other class must have to raise an alarm.</param>
/// <param name="Contaminated">Texts that it must have to raise one in four of five sets, where one of twenty rows that have it is of
/// another class; null where no number does.</param>
public sealed record DetectionPower(FeatureGroup Group, int Class, long Pure, long? Contaminated)
{
    private const double Purity = 0.95, Power = 0.8;

    /// <summary>Of every group and class that has texts.</summary>
    public static IReadOnlyList<DetectionPower> Of(FeatureTests tests, IReadOnlyList<long> classTexts, AuditLevels levels)
    {
        var texts = classTexts.Sum();
        return
        [
            .. from level in tests.Levels
               from label in Enumerable.Range(0, classTexts.Count)
               where classTexts[label] > 0
               let bound = levels.Bound((double)classTexts[label] / texts)
               select new DetectionPower(level.Key, label, Smallest(level.Value.Level, bound), Contaminates(level.Value.Level, bound)),
        ];
    }

    /// <summary>The fewest hits of so many rows that raise an alarm: the rejection line. Null where not even all do.</summary>
    public static long? Rejected(long rows, double bound, double level)
    {
        if (ExactTests.BinomialUpper(rows, rows, bound) > level) return null;
        long low = (long)(rows * bound), high = rows;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (ExactTests.BinomialUpper(middle, rows, bound) <= level) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private static long Smallest(double level, double bound) => (long)Math.Ceiling(Math.Log(level) / Math.Log(bound) - 1e-9);

    private static long? Contaminates(double level, double bound)
    {
        if (bound >= Purity) return null;
        for (var rows = Smallest(level, bound); rows <= 1_000_000; rows += Math.Max(1, rows / 100))
            if (Rejected(rows, bound, level) is { } hits && ExactTests.BinomialUpper(hits, rows, Purity) >= Power) return rows;
        return null;
    }
}
