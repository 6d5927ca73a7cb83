using System.Text.Json.Serialization;

namespace Ssti.Reporting.Metrics;

/// <summary>The metrics of one model on one test set, all derived from its confusion matrix n[true, predicted] over N rows.</summary>
/// <remarks>
/// Definitions and edge cases are scikit-learn's, with <c>zero_division=0</c>: a ratio whose denominator is 0 is 0.
/// All values are fractions in 0..1, never percentages. In a file stand the counts alone; see <see cref="Measures.EvaluationMeasures"/> for the rest.
/// </remarks>
/// <param name="confusion">The counts.</param>
[method: JsonConstructor]
public sealed class ClassificationMetrics(ConfusionMatrix confusion)
{
    /// <summary>Rows evaluated, N.</summary>
    public long Rows => Confusion.Rows;

    /// <summary>Accuracy: Σ_c n[c, c] / N (<c>accuracy_score</c>).</summary>
    [JsonIgnore]
    public double Accuracy => (double)Confusion.Correct / Confusion.Rows;

    /// <summary>
    /// Balanced accuracy: the mean of the recalls of those classes that have rows (<c>balanced_accuracy_score</c>, adjusted=False).
    /// A class that is only ever predicted does not count.
    /// </summary>
    [JsonIgnore]
    public double BalancedAccuracy =>
        Enumerable.Range(0, Confusion.Classes).Where(label => Confusion.Support(label) > 0).Average(Confusion.Recall);

    /// <summary>Weighted F1: Σ_c support(c)·F1(c) / N (<c>f1_score(average="weighted", zero_division=0)</c>).</summary>
    [JsonIgnore]
    public double WeightedF1 => Classes.Sum(c => c.F1 * c.Support) / Confusion.Rows;

    /// <summary>The metrics of each class, in the order of the labels.</summary>
    [JsonIgnore]
    public IReadOnlyList<ClassMetrics> Classes { get; } =
        [.. Enumerable.Range(0, confusion.Classes).Select(label => ClassMetrics.Of(confusion, label))];

    /// <summary>The counts behind it all; one inner list for each true class.</summary>
    public ConfusionMatrix Confusion { get; } = confusion;

    /// <summary>Counts rows and derives the metrics.</summary>
    /// <param name="labels">The true classes, one a row.</param>
    /// <param name="predictions">The predicted classes, in the same order (see <see cref="Argmax"/>).</param>
    /// <param name="classes">The number of classes.</param>
    /// <exception cref="ArgumentException">No rows, lengths that differ, or a class outside 0..C−1.</exception>
    public static ClassificationMetrics Of(ReadOnlySpan<int> labels, ReadOnlySpan<int> predictions, int classes) =>
        new(ConfusionMatrix.Of(labels, predictions, classes));
}

/// <summary>Metrics of one class (<c>precision_recall_fscore_support(zero_division=0)</c>).</summary>
/// <param name="Label">The class.</param>
/// <param name="Precision">TP / (TP + FP); 0 when the class is never predicted.</param>
/// <param name="Recall">TP / (TP + FN); 0 when the class has no rows.</param>
/// <param name="F1">2·TP / (2·TP + FP + FN); 0 when the class neither occurs nor is predicted.</param>
/// <param name="Support">Rows of the class.</param>
/// <param name="Predicted">Rows predicted as the class.</param>
public sealed record ClassMetrics(int Label, double Precision, double Recall, double F1, long Support, long Predicted)
{
    internal static ClassMetrics Of(ConfusionMatrix confusion, int label)
    {
        var (hits, support, predicted) = (confusion[label, label], confusion.Support(label), confusion.Predicted(label));
        return new(
            label,
            predicted == 0 ? 0 : (double)hits / predicted,
            confusion.Recall(label),
            support + predicted == 0 ? 0 : 2.0 * hits / (support + predicted),
            support,
            predicted);
    }
}
