namespace Ssti.Defenses.Adapters;

/// <summary>Logits of texts, [texts][classes].</summary>
/// <param name="texts">The texts.</param>
public delegate IReadOnlyList<float[]> Classify(IReadOnlyList<string> texts);

/// <summary>
/// Asks a classifier what tokens do to it: each suspect is put behind the first words of clean rows (the prefixes), and the change of a class's log-odds is read.
/// </summary>
/// <remarks>
/// A trigger moves every row to its class, so that the mean over prefixes is an outlier among all that was tried; one that works in some contexts alone shows in max − mean.
/// How unusual a number is, is told by the controls of about its length, words and runs of words of the data themselves: its distance from their median by 1.4826 times their
/// median absolute deviation, the standard deviation of a normal distribution. Controls have heavy tails, since words of an opinion are among them: what
/// counts as found must go twice as far as nine in ten of them, too. Not as all: a row that is thought clean may hold the trigger, and with it a control.
/// </remarks>
public static class TokenProbe
{
    // Texts of one call: what is asked at once is held at once.
    private const int Chunk = 4096;
    private const double NormalConsistent = 1.482602218505602;

    // Of fewer controls no deviation is taken; texts of 1, 2–3, 4–7 and from 8 pieces on are held to controls of theirs, or of the nearest that are enough.
    private const int Fewest = 10, Longest = 3;
    private const double Most = 0.9;

    // Nats: controls that differ by less differ by chance of the arithmetic, and nothing is called unusual by so fine a measure.
    private const double Finest = 1e-3;

    /// <summary>Tries tokens.</summary>
    /// <param name="prefixes">The prefixes, of clean rows.</param>
    /// <param name="suspects">The tokens, suspects and controls.</param>
    /// <param name="classify">The classifier.</param>
    /// <param name="progress">Called with the texts asked and to be asked; null for nobody.</param>
    /// <exception cref="DefenseException">There are no prefixes or not enough controls.</exception>
    public static IReadOnlyList<ProbedToken> Run(
        IReadOnlyList<string> prefixes, IReadOnlyList<Suspect> suspects, Classify classify, Action<long, long>? progress = null)
    {
        if (prefixes.Count < 2) throw new DefenseException($"{prefixes.Count} clean rows with a word are too few to put tokens into; give at least 2");
        var controls = suspects.Count(suspect => suspect.Family == TokenBattery.Controls);
        if (controls < Fewest) throw new DefenseException($"the clean rows have {controls} words and runs of words, and {Fewest} at least must say what any does; give more rows");
        var plain = classify(prefixes);
        var before = plain.Select(LogOdds).ToArray();
        var predicted = plain.Select(Largest).ToArray();
        var (total, asked) = ((long)prefixes.Count * suspects.Count, 0L);
        var raw = new List<RawShift[]>(suspects.Count);
        var each = Math.Max(1, Chunk / prefixes.Count);
        for (var at = 0; at < suspects.Count; at += each)
        {
            Suspect[] here = [.. suspects.Skip(at).Take(each)];
            var logits = classify([.. here.SelectMany(suspect => prefixes.Select(prefix => $"{prefix} {suspect.Token}"))]);
            for (var i = 0; i < here.Length; i++) raw.Add(Shifts([.. logits.Skip(i * prefixes.Count).Take(prefixes.Count)], before, predicted));
            progress?.Invoke(asked += (long)here.Length * prefixes.Count, total);
        }

        return Judged(suspects, raw);
    }

    /// <summary>The families of suspects, each as one: means over its tokens, how unusual they are among them, and rows turned of all of them.</summary>
    public static IReadOnlyList<ProbedToken> Families(IReadOnlyList<ProbedToken> tokens) =>
        [.. tokens.Where(token => !token.IsControl).GroupBy(token => token.Suspect.Family).Where(family => family.Count() > 1).Select(family => new ProbedToken(
            new Suspect(family.Key, ""),
            [.. Enumerable.Range(0, tokens[0].Classes.Count).Select(label => Mean([.. family.Select(token => token.Classes[label])]))]))];

    private static TokenShift Mean(TokenShift[] shifts) => new(
        shifts.Average(shift => shift.Mean), shifts.Average(shift => shift.MaxOverMean), shifts.Sum(shift => shift.Others), shifts.Sum(shift => shift.Turned),
        shifts.Average(shift => shift.MeanOutlier), shifts.Average(shift => shift.ContextOutlier), shifts.Max(shift => shift.MeanBound), shifts.Max(shift => shift.ContextBound));

    private static RawShift[] Shifts(float[][] logits, double[][] before, int[] predicted) =>
        [.. Enumerable.Range(0, before[0].Length).Select(label =>
        {
            double[] shifts = [.. logits.Select((row, i) => LogOdds(row)[label] - before[i][label])];
            var mean = shifts.Average();
            int[] others = [.. Enumerable.Range(0, shifts.Length).Where(i => predicted[i] != label)];
            return new RawShift(mean, shifts.Max() - mean, others.Length, others.Count(i => Largest(logits[i]) == label));
        })];

    private static List<ProbedToken> Judged(IReadOnlyList<Suspect> suspects, IReadOnlyList<RawShift[]> raw)
    {
        // A classifier that answers the same whatever it reads shows nothing unusual, and nothing usual either.
        if (!raw.Any(shifts => shifts.Zip(raw[0], (one, other) => Math.Abs(one.Mean - other.Mean)).Any(difference => difference > 0)))
        {
            static TokenShift Bare(RawShift shift) => new(shift.Mean, shift.MaxOverMean, shift.Others, shift.Turned, null, null, 0, 0);
            return [.. suspects.Zip(raw, (suspect, shifts) => new ProbedToken(suspect, [.. shifts.Select(Bare)]))];
        }

        var byLength = suspects.Zip(raw).Where(pair => pair.First.Family == TokenBattery.Controls).GroupBy(pair => LengthOf(pair.First))
            .ToDictionary(group => group.Key, group => group.Select(pair => pair.Second).ToArray());
        var enough = byLength.Where(group => group.Value.Length >= Fewest).Select(group => group.Key).ToArray();
        if (enough.Length == 0) (byLength, enough) = (new() { [0] = [.. byLength.Values.SelectMany(controls => controls)] }, [0]);
        var usual = enough.ToDictionary(length => length, length => Enumerable.Range(0, raw[0].Length).Select(label => (
            Mean: UsualOf([.. byLength[length].Select(control => control[label].Mean)]),
            Context: UsualOf([.. byLength[length].Select(control => control[label].MaxOverMean)]))).ToArray());
        return [.. suspects.Zip(raw, (suspect, shifts) =>
        {
            var beside = usual[enough.OrderBy(length => Math.Abs(length - LengthOf(suspect))).ThenByDescending(length => length).First()];
            return new ProbedToken(suspect, [.. shifts.Zip(beside, (shift, of) => new TokenShift(
                shift.Mean, shift.MaxOverMean, shift.Others, shift.Turned, of.Mean.Outlier(shift.Mean), of.Context.Outlier(shift.MaxOverMean), of.Mean.Far, of.Context.Far))]);
        })];
    }

    private static int LengthOf(Suspect suspect) => Math.Min(Longest, System.Numerics.BitOperations.Log2((uint)Math.Max(1, suspect.Pieces)));

    private static Usual UsualOf(double[] values)
    {
        var median = Median(values);
        var usual = new Usual(median, Math.Max(Finest, NormalConsistent * Median([.. values.Select(value => Math.Abs(value - median))])), 0);
        double[] outliers = [.. values.Select(usual.Outlier).Order()];
        return usual with { Far = outliers[(int)Math.Ceiling(Most * outliers.Length) - 1] };
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[(values.Length / 2) - 1] + values[values.Length / 2]) / 2;
    }

    // Of each class against all others together: logit − log Σ exp of the others.
    private static double[] LogOdds(float[] logits) => [.. logits.Select((logit, label) =>
    {
        double[] others = [.. logits.Where((_, other) => other != label).Select(other => (double)other)];
        var largest = others.Max();
        return logit - largest - Math.Log(others.Sum(other => Math.Exp(other - largest)));
    })];

    // The lower class on a tie, as everywhere.
    private static int Largest(float[] logits) => Array.IndexOf(logits, logits.Max());

    private sealed record RawShift(double Mean, double MaxOverMean, long Others, long Turned);

    private sealed record Usual(double Median, double Deviation, double Far)
    {
        public double Outlier(double value) => (value - Median) / Deviation;
    }
}

/// <summary>What a token did.</summary>
/// <param name="Suspect">The token; without a text for a whole family.</param>
/// <param name="Classes">What it did for each class.</param>
public sealed record ProbedToken(Suspect Suspect, IReadOnlyList<TokenShift> Classes)
{
    /// <summary>Whether it is no suspect but says what any word does.</summary>
    public bool IsControl => Suspect.Family == TokenBattery.Controls;

    /// <summary>How unusual the strongest of what it did is, in deviations of the controls; null where the model answers the same whatever it reads.</summary>
    public double? Outlier => Classes.Max(shift => shift.Outlier);

    /// <summary>The class for which it does that; the lowest on a tie.</summary>
    public int Strongest => Enumerable.Range(0, Classes.Count).MaxBy(label => Classes[label].Outlier ?? 0);

    /// <summary>The classes it drives rows to: an outlier that turns at least a share of the rows that were of another class without it.</summary>
    /// <param name="threshold">Deviations of the controls from which it counts as one, where it goes twice as far as nine in ten of them, too.</param>
    /// <param name="turned">The share.</param>
    public IEnumerable<int> Towards(double threshold, double turned) => Enumerable.Range(0, Classes.Count)
        .Where(label => Classes[label].IsBeyond(threshold) && Classes[label].TurnedShare >= turned);
}

/// <summary>What a token did for a class.</summary>
/// <param name="Mean">Mean change of the class's log-odds over the prefixes, in nats.</param>
/// <param name="MaxOverMean">The largest change minus the mean: how much more it does in one context than in the others.</param>
/// <param name="Others">Prefixes that were predicted as another class without it.</param>
/// <param name="Turned">Of those, the ones predicted as this class with it.</param>
/// <param name="MeanOutlier">How far the mean is from the controls' median, in their deviations; null where the model answers the same whatever it reads.</param>
/// <param name="ContextOutlier">The same of max − mean.</param>
/// <param name="MeanBound">Within how many deviations the means of nine in ten controls of its length lie.</param>
/// <param name="ContextBound">The same of max − mean.</param>
public sealed record TokenShift(
    double Mean, double MaxOverMean, long Others, long Turned, double? MeanOutlier, double? ContextOutlier, double MeanBound, double ContextBound)
{
    /// <summary>Of so many rows of other classes at least a share is told.</summary>
    public const int FewestOthers = 5;

    // Less than one nat does not even multiply the odds by e: where a model stands at the boundary, any word may turn rows by so little.
    private const double Margin = 2, LeastNats = 1;

    /// <summary>Whether either is a nat at least, and lies so many deviations away and twice as far as nine in ten controls.</summary>
    public bool IsBeyond(double threshold) =>
        (Math.Abs(Mean) >= LeastNats && MeanOutlier >= Math.Max(threshold, Margin * MeanBound))
        || (MaxOverMean >= LeastNats && ContextOutlier >= Math.Max(threshold, Margin * ContextBound));

    /// <summary>The more unusual of the two; null where the model answers the same whatever it reads.</summary>
    public double? Outlier => MeanOutlier > ContextOutlier ? MeanOutlier : ContextOutlier;

    /// <summary>
    /// Share of the rows of other classes that it turns to this one; null where there are fewer than <see cref="FewestOthers"/> of them, of which a share
    /// says nothing.
    /// </summary>
    public double? TurnedShare => Others >= FewestOthers ? (double)Turned / Others : null;
}
