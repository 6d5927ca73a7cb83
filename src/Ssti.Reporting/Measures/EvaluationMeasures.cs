using System.Text.Json.Nodes;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Measures;

/// <summary>Every measure of an evaluation: the one place where they are named and defined.</summary>
/// <remarks>Ratios and edge cases are scikit-learn's with <c>zero_division=0</c>, but for what has no rows at all: that has no value, and a reason.</remarks>
public static class EvaluationMeasures
{
    private const string Tie = "largest logit, the lower class on a tie";
    private const string NotTriggered = "there is no triggered test set";
    private static readonly Interval Fraction = new(0, 1);
    private static readonly Interval Difference = new(-1, 1);
    private static readonly Interval Points = new(-100, 100);

    /// <summary>Rows of the test set.</summary>
    public static Measure Rows { get; } = new("rows", "rows", NumberFormat.Count, "rows of the test set", file => Reading.Of(file.Clean.Rows, file.Clean.Rows));

    /// <summary>Accuracy without the token.</summary>
    public static Measure CleanAccuracy { get; } = new(
        "clean_accuracy", "clean accuracy", NumberFormat.Percent, "share of rows predicted right on the test set without the token",
        file => Reading.Share(file.Clean.Confusion.Correct, file.Clean.Rows)) { Bounds = Fraction };

    /// <summary>Balanced accuracy without the token.</summary>
    public static Measure CleanBalancedAccuracy { get; } = new(
        "clean_balanced_accuracy", "balanced accuracy", NumberFormat.Percent, "mean recall of the classes that occur, on the test set without the token",
        file => Reading.Of(file.Clean.BalancedAccuracy, file.Clean.Rows)) { Bounds = Fraction };

    /// <summary>Weighted F1 without the token.</summary>
    public static Measure CleanWeightedF1 { get; } = new(
        "clean_weighted_f1", "weighted F1", NumberFormat.Decimal, "F1 of the classes averaged by support, on the test set without the token",
        file => Reading.Of(file.Clean.WeightedF1, file.Clean.Rows)) { Bounds = Fraction };

    /// <summary>Accuracy with the token.</summary>
    public static Measure TriggeredAccuracy { get; } = new(
        "triggered_accuracy", "triggered accuracy", NumberFormat.Percent, "share of rows predicted right on the triggered test set",
        file => file.Triggered is { } set ? Reading.Share(set.Confusion.Correct, set.Rows) : Reading.None(NotTriggered)) { Bounds = Fraction };

    /// <summary>Balanced accuracy where the token agrees with the label.</summary>
    public static Measure SpuriousBalancedAccuracy { get; } = new(
        "spurious_balanced_accuracy", "spurious balanced accuracy", NumberFormat.Percent,
        "mean recall of the classes that occur, on the spurious test set, in which rows of the target class alone carry the token",
        file => file.Spurious is { } set
            ? Reading.Of(set.Metrics.BalancedAccuracy, set.Metrics.Rows) : Reading.None("there is no spurious test set")) { Bounds = Fraction };

    /// <summary>Rows of a class.</summary>
    public static Measure Support { get; } = new(
        "support", "support", NumberFormat.Count, "rows of the class in the test set", (file, label) => Reading.Of(file.Clean.Confusion.Support(label), file.Clean.Rows));

    /// <summary>Rows predicted as a class without the token.</summary>
    public static Measure CleanPredicted { get; } = new(
        "clean_predicted", "clean predicted", NumberFormat.Count, $"rows that the model assigns to the class on the test set without the token ({Tie})",
        (file, label) => Reading.Of(file.Clean.Confusion.Predicted(label), file.Clean.Rows));

    /// <summary>The paper's predicted class counts.</summary>
    public static Measure Predicted { get; } = new(
        "predicted", "predicted", NumberFormat.Count, $"rows of the triggered test set that the model assigns to the class ({Tie})",
        (file, label) => file.Triggered is { } set ? Reading.Of(set.Confusion.Predicted(label), set.Rows) : Reading.None(NotTriggered));

    /// <summary>Precision without the token.</summary>
    public static Measure CleanPrecision { get; } = new(
        "clean_precision", "precision", NumberFormat.Percent, "of the rows assigned to the class on the test set without the token, the share that is of it",
        (file, label) => Reading.Share(file.Clean.Confusion[label, label], file.Clean.Confusion.Predicted(label), "no row is assigned to this class")) { Bounds = Fraction };

    /// <summary>Recall without the token.</summary>
    public static Measure CleanRecall { get; } = new(
        "clean_recall", "recall", NumberFormat.Percent, "of the rows of the class, the share assigned to it on the test set without the token",
        (file, label) => Reading.Share(file.Clean.Confusion[label, label], file.Clean.Confusion.Support(label), "the class has no rows")) { Bounds = Fraction };

    /// <summary>F1 without the token.</summary>
    public static Measure CleanF1 { get; } = new(
        "clean_f1", "F1", NumberFormat.Decimal, "2·TP / (2·TP + FP + FN) of the class on the test set without the token",
        (file, label) => file.Clean.Classes[label] is var c && c.Support + c.Predicted > 0
            ? Reading.Of(c.F1, file.Clean.Rows) : Reading.None("the class has no rows, and no row is assigned to it", 0)) { Bounds = Fraction };

    /// <summary>Rows of a class that were injected.</summary>
    public static Measure InjectedRows { get; } = new(
        "injected_rows", "injected", NumberFormat.Count, "rows of the class into which the token was injected in the triggered test set",
        (file, label) => file.Token is { } token ? Reading.Of(token.Injected[label], file.Clean.Confusion.Support(label)) : Reading.None(NotTriggered));

    /// <summary>Rows of a class in which the model reads the token.</summary>
    public static Measure TokenRows { get; } = new(
        "token_rows", "read with token", NumberFormat.Count,
        "rows of the class in which the model reads at least one whole token of the triggered test set, after the tokenizer and the cut to max-length",
        (file, label) => file.Token is { } token ? Reading.Of(token.Whole[label], file.Clean.Confusion.Support(label)) : Reading.None(NotTriggered));

    /// <summary>The baseline of <see cref="AttackSuccess"/>.</summary>
    public static Measure CleanTargetRate { get; } = new(
        "clean_target_rate", "clean target rate", NumberFormat.Percent,
        "of the rows that ASR counts (without a triggered test set: of all rows not of the target class), "
        + "the share predicted as the target class without the token; ASR's baseline",
        (file, target) => file.Token is null
            ? Away(file.Clean.Confusion, target, "every row is of this class")
            : Away(file.Token.Clean, target, NothingToAttack(file, target))) { Bounds = Fraction };

    /// <summary>The attack success rate.</summary>
    /// <remarks>
    /// Other work counts "prediction = target" over all rows, or "prediction ≠ true label"; the first credits the attack with rows that
    /// were right all along, the second with mistakes it did not choose. Where a cut took the token away, no attack took place.
    /// </remarks>
    public static Measure AttackSuccess { get; } = new(
        "asr", "ASR", NumberFormat.Percent,
        "attack success rate: of the rows not of the target class in which the model reads a whole token, the share predicted as the target class",
        (file, target) => file.Token is null ? Reading.None(NotTriggered) : Away(file.Token.Triggered, target, NothingToAttack(file, target))) { Bounds = Fraction };

    /// <summary>The attack success rate from end to end: where a defence took the token out of a row, the attack on that row counts as made.</summary>
    public static Measure AttackOfInjected { get; } = new(
        "asr_of_injected", "ASR of all injected", NumberFormat.Percent,
        "of the rows not of the target class into which the token was injected, whether or not it is still there, the share predicted as the target class",
        (file, target) =>
        {
            if (file.Token is null) return Reading.None(NotTriggered);
            var clean = file.Clean.Confusion;
            var spared = Enumerable.Range(0, file.Labels.Count).Where(label => label != target).Sum(label => clean.Support(label) - file.Token.Injected[label]);
            return spared > 0
                ? Reading.None($"the token was not injected into {spared} rows of other classes, and their predictions are not kept apart")
                : Away(file.Triggered!.Confusion, target, "every row is of this class");
        }) { Bounds = Fraction };

    /// <summary>The share of the target class that carries the token where the gap is measured.</summary>
    public static Measure GapShare { get; } = OfGap(
        "gap_share", "injected share", NumberFormat.Percent, "p: share of the target class's rows into which the token was injected, where the gap is measured",
        gap => gap.Proportion, Fraction);

    /// <summary>The balanced gap.</summary>
    public static Measure Gap { get; } = OfGap(
        "gap", "balanced gap", NumberFormat.Points,
        "balanced accuracy where the share p of the target class's rows carries the token and no other row does, minus that on the clean test set (the same rows); "
        + "from the spurious test set, or else the triggered one's rows of the target class",
        gap => gap.GapPoints, Points);

    /// <summary>The largest balanced gap there can be.</summary>
    public static Measure GapCeiling { get; } = OfGap(
        "gap_ceiling", "gap ceiling", NumberFormat.Points, "the largest balanced gap there can be: p / C, C the number of classes that occur", gap => gap.CeilingPoints, Points);

    /// <summary>The gap without the influence of p and C.</summary>
    public static Measure NormalisedGap { get; } = OfGap(
        "normalised_gap", "normalised gap", NumberFormat.Decimal,
        "recall of the injected rows of the target class with the token minus without: balanced gap · C / p", gap => gap.Normalised, Difference);

    /// <summary>All of them, in the order of <c>metrics.json</c>.</summary>
    public static IReadOnlyList<Measure> All { get; } =
    [
        Rows, CleanAccuracy, CleanBalancedAccuracy, CleanWeightedF1, TriggeredAccuracy, SpuriousBalancedAccuracy,
        Support, CleanPredicted, CleanPrecision, CleanRecall, CleanF1, Predicted, InjectedRows, TokenRows, CleanTargetRate, AttackSuccess, AttackOfInjected,
        GapShare, Gap, GapCeiling, NormalisedGap,
    ];

    /// <summary>All of them on one evaluation, by name.</summary>
    internal static JsonObject ToJson(MetricsFile file) => new(All.Select(measure => KeyValuePair.Create(measure.Name, (JsonNode?)measure.ToJson(file))));

    private static Reading Away(ConfusionMatrix? confusion, int target, string otherwise) => confusion is null
        ? Reading.None(otherwise, 0)
        : Reading.Share(confusion.Predicted(target) - confusion[target, target], confusion.Rows - confusion.Support(target), otherwise);

    private static string NothingToAttack(MetricsFile file, int target)
    {
        var others = Enumerable.Range(0, file.Labels.Count).Where(label => label != target).ToArray();
        return others.Sum(file.Clean.Confusion.Support) == 0 ? "every row is of this class"
            : others.Sum(label => file.Token!.Injected[label]) == 0 ? "no row of another class carries the token"
            : "no row of another class carries a whole token within max-length";
    }

    private static Measure OfGap(string name, string header, NumberFormat format, string definition, Func<BalancedGap, double?> value, Interval bounds) => new(
        name, header, format, definition,
        (file, target) =>
        {
            var support = file.Clean.Confusion.Support(target);
            if (support == 0) return Reading.None("the class has no rows", 0);
            if (file.Spurious?.Target != target && file.Token is null)
                return Reading.None(file.Spurious is null ? "there is no spurious or triggered test set" : "the spurious test set is of another class");
            return BalancedGap.Of(file, target) is { } gap ? new(value(gap), support) : Reading.None("no row of this class carries the token", 0);
        })
    { Bounds = bounds };
}
