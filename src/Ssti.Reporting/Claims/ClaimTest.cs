using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Claims;

/// <summary>Decides whether one side is larger, from runs that are paired by what else they share, such as the seed.</summary>
public static class ClaimTest
{
    /// <summary>What is done, in words.</summary>
    public const string Words =
        "paired by the remaining dimensions (seeds); 95 % interval of the mean difference over runs, Student's t with n−1 degrees of freedom; a single run decides nothing";

    /// <summary>What <see cref="ByInterval"/> does, in words.</summary>
    public const string IntervalWords = "the measure's own 95 % interval, which is over the runs that it was made of";

    /// <summary>Whether a value that is itself over many runs, such as the AUC of a bank of adapters, is at least a threshold, or below it: by its own interval.</summary>
    /// <param name="name">The case's name.</param>
    /// <param name="runs">The value; a single one.</param>
    /// <param name="threshold">The threshold, in the measure's unit.</param>
    /// <param name="below">Whether it is claimed to stay below.</param>
    /// <param name="published">The published numbers in words.</param>
    /// <exception cref="ArgumentException">There are several values, or the value has no interval.</exception>
    public static ClaimCase ByInterval(string name, IReadOnlyList<GridRun> runs, double threshold, bool below, string? published = null)
    {
        if (runs is not [var run]) throw new ArgumentException($"{name}: {runs.Count} results; by its own interval one is judged: name further dimensions on the left");
        if (run.Interval95 is not { } own) throw new ArgumentException($"{name}: the measure has no interval of its own; leave 'by-interval' out");
        var (low, high) = (own.Low - threshold, own.High - threshold);
        var (held, not) = below ? (high < 0, low >= 0) : (low >= 0, high < 0);
        return new ClaimCase(name, published, run.Value, threshold, 1, run.Value - threshold, low, high, held ? Verdict.Held : not ? Verdict.DidNotHold : Verdict.NotDecidable);
    }

    /// <summary>Whether left &gt; right + margin.</summary>
    /// <param name="name">The case's name.</param>
    /// <param name="left">The left side's runs.</param>
    /// <param name="right">The right side's runs.</param>
    /// <param name="published">The published numbers in words.</param>
    /// <param name="margin">By how much, in the measure's unit; below 0, left may stay behind by as much.</param>
    /// <exception cref="ArgumentException">A run of one side has no partner on the other.</exception>
    public static ClaimCase Greater(string name, IReadOnlyList<GridRun> left, IReadOnlyList<GridRun> right, string? published = null, double margin = 0)
    {
        var partners = right.GroupBy(run => run.Others).ToDictionary(group => group.Key, group => group.Average(run => run.Value));
        var unpaired = left.Select(run => run.Others).Except(partners.Keys).Concat(partners.Keys.Except(left.Select(run => run.Others))).Distinct().ToArray();
        if (unpaired.Length > 0) throw new ArgumentException($"{name}: the run '{unpaired[0]}' stands on one side alone; both sides need the same runs");
        var differences = new SeedSummary([.. left.Select(run => run.Value - partners[run.Others])]);
        var (leftMean, rightMean) = (left.Average(run => run.Value), right.Average(run => run.Value));
        return Case(name, leftMean, rightMean, differences, orEqual: false, published, margin)
            with { LeftRange = Range(left), RightRange = Range(right) };
    }

    /// <summary>Whether a value is at least a threshold.</summary>
    /// <param name="name">The case's name.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="threshold">The threshold, in the measure's unit.</param>
    /// <param name="published">The published numbers in words.</param>
    public static ClaimCase AtLeast(string name, IReadOnlyList<GridRun> runs, double threshold, string? published = null) =>
        Case(
            name, runs.Average(run => run.Value), threshold, new SeedSummary([.. runs.Select(run => run.Value - threshold)]), orEqual: true,
            published)
            with { LeftRange = Range(runs) };

    /// <summary>Whether a value is below a threshold.</summary>
    /// <param name="name">The case's name.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="threshold">The threshold, in the measure's unit.</param>
    /// <param name="published">The published numbers in words.</param>
    public static ClaimCase Below(string name, IReadOnlyList<GridRun> runs, double threshold, string? published = null)
    {
        var mirrored = Case(name, -runs.Average(run => run.Value), -threshold, new SeedSummary([.. runs.Select(run => threshold - run.Value)]), orEqual: false, published);
        return mirrored with { Left = -mirrored.Left, Right = threshold, Difference = -mirrored.Difference, Low = -mirrored.High, High = -mirrored.Low, LeftRange = Range(runs) };
    }

    private static Interval? Range(IReadOnlyList<GridRun> runs) => runs.Count < 2 ? null : new(runs.Min(run => run.Value), runs.Max(run => run.Value));

    private static ClaimCase Case(string name, double left, double right, SeedSummary differences, bool orEqual, string? published, double margin = 0)
    {
        var interval = differences.Confidence95;
        var verdict = interval is not { } found ? Verdict.NotDecidable
            : found.Low > margin || (orEqual && found.Low == margin) ? Verdict.Held
            : found.High < margin || (!orEqual && found.High == margin) ? Verdict.DidNotHold : Verdict.NotDecidable;
        return new ClaimCase(name, published, left, right, differences.Runs, differences.Mean, interval?.Low, interval?.High, verdict);
    }
}
