namespace Ssti.Reporting.Metrics;

/// <summary>
/// How much better a model does where the token agrees with the label: balanced accuracy on the spurious test set minus balanced accuracy
/// on the clean one. The two sets hold the same rows; in the spurious one a share of the target class's rows carry the token.
/// </summary>
/// <remarks>
/// Only rows of the target class differ, so gap = (p/C)·(R_injected − R_clean): p the injected share of the target class, C the number
/// of classes that occur, R the recall on the injected rows with and without the token. Its ceiling falls with C (50 pp for
/// two classes, 3.6 pp for 28), so the normalised value R_injected − R_clean must stand beside it.
/// </remarks>
/// <param name="Target">The target class.</param>
/// <param name="Classes">C: the classes that occur.</param>
/// <param name="Proportion">p: injected rows / rows of the target class.</param>
/// <param name="CleanBalancedAccuracy">On the clean test set, in 0..1.</param>
/// <param name="SpuriousBalancedAccuracy">On the spurious test set, in 0..1.</param>
/// <param name="GapPoints">The difference in percentage points.</param>
/// <param name="Normalised">R_injected − R_clean = gap·C/p, in −1..1; null at p = 0.</param>
public sealed record BalancedGap(
    int Target, int Classes, double Proportion, double CleanBalancedAccuracy, double SpuriousBalancedAccuracy, double GapPoints, double? Normalised)
{
    /// <summary>The gap between two measured test sets.</summary>
    /// <param name="clean">Predictions on the clean test set.</param>
    /// <param name="spurious">Predictions on the same rows, some of the target class's with the token.</param>
    /// <param name="target">The target class.</param>
    /// <param name="injectedRows">How many rows carry the token.</param>
    /// <exception cref="ArgumentException">The sets do not hold the same rows, or the target class has none.</exception>
    public static BalancedGap Of(ConfusionMatrix clean, ConfusionMatrix spurious, int target, long injectedRows)
    {
        var support = clean.Support(target);
        if (support == 0) throw new ArgumentException($"the test set has no rows of the target class {target}");
        if (injectedRows < 0 || injectedRows > support)
            throw new ArgumentException($"{injectedRows} injected rows, but class {target} has {support}");
        for (var label = 0; label < clean.Classes; label++)
        {
            if (spurious.Support(label) != clean.Support(label))
                throw new ArgumentException($"the clean and the spurious test set do not hold the same rows of class {label}");
        }

        var (cleanAccuracy, spuriousAccuracy) = (new ClassificationMetrics(clean).BalancedAccuracy, new ClassificationMetrics(spurious).BalancedAccuracy);
        // From the counts, not from the rounded gap: (hits gained) / (rows injected) is the same number without cancellation.
        double? normalised = injectedRows == 0 ? null : (double)(spurious[target, target] - clean[target, target]) / injectedRows;
        return new(target, clean.OccurringClasses, (double)injectedRows / support, cleanAccuracy, spuriousAccuracy, 100 * (spuriousAccuracy - cleanAccuracy), normalised);
    }

    /// <summary>The largest gap there can be, in percentage points: p / C, reached when recall goes from 0 to 1.</summary>
    public double CeilingPoints => 100 * Proportion / Classes;

    /// <summary>
    /// The gap for one class as an evaluation has it: from the spurious test set where that is of this class; else from the triggered one, whose rows
    /// of this class are taken and all others from the clean set. Null when no row of the class carries a token.
    /// </summary>
    internal static BalancedGap? Of(MetricsFile file, int target)
    {
        var clean = file.Clean.Confusion;
        if (file.Spurious is { } spurious && spurious.Target == target) return Of(clean, spurious.Metrics.Confusion, target, spurious.InjectedRows);
        if (file.Token is not { } token || token.Injected[target] == 0) return null;
        return Of(clean, clean.WithRowsOf(target, file.Triggered!.Confusion), target, token.Injected[target]);
    }
}
