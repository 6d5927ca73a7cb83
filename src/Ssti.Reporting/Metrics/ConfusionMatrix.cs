using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ssti.Reporting.Metrics;

/// <summary>How many rows of each class were predicted as each class: a C×C table from which every other metric here follows.</summary>
/// <remarks>The same orientation as scikit-learn's <c>confusion_matrix</c>: the first index is the true class, the second the predicted one.</remarks>
[JsonConverter(typeof(Json))]
public sealed class ConfusionMatrix : IEquatable<ConfusionMatrix>
{
    private readonly long[] _counts;

    private ConfusionMatrix(int classes, long[] counts)
    {
        Classes = classes;
        _counts = counts;
        Rows = counts.Sum();
        if (Rows == 0) throw new ArgumentException("no rows: no metric is defined on an empty test set");
    }

    /// <summary>The number of classes C, those without any row included.</summary>
    public int Classes { get; }

    /// <summary>The number of rows counted, at least 1.</summary>
    public long Rows { get; }

    /// <summary>Rows of class <paramref name="label"/> that were predicted as <paramref name="predicted"/>.</summary>
    public long this[int label, int predicted] =>
        (uint)label < (uint)Classes && (uint)predicted < (uint)Classes
            ? _counts[label * Classes + predicted]
            : throw new ArgumentOutOfRangeException(nameof(label), $"({label}, {predicted}) is outside 0..{Classes - 1}");

    /// <summary>Counts rows.</summary>
    /// <param name="labels">The true classes, one a row.</param>
    /// <param name="predictions">The predicted classes, in the same order.</param>
    /// <param name="classes">The number of classes.</param>
    /// <exception cref="ArgumentException">No rows, lengths that differ, or a class outside 0..C−1 (the message names the row).</exception>
    public static ConfusionMatrix Of(ReadOnlySpan<int> labels, ReadOnlySpan<int> predictions, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        if (labels.Length != predictions.Length)
            throw new ArgumentException($"{labels.Length} labels but {predictions.Length} predictions");
        var counts = new long[classes * classes];
        for (var row = 0; row < labels.Length; row++)
        {
            if ((uint)labels[row] >= (uint)classes || (uint)predictions[row] >= (uint)classes)
            {
                throw new ArgumentException(
                    $"row {row}: label {labels[row]}, prediction {predictions[row]}; both must be classes in 0..{classes - 1}");
            }

            counts[labels[row] * classes + predictions[row]]++;
        }

        return new ConfusionMatrix(classes, counts);
    }

    /// <summary>Wraps counts: one inner list for each true class.</summary>
    /// <exception cref="ArgumentException">Not square, a negative count, or no rows at all.</exception>
    public static ConfusionMatrix FromCounts(IReadOnlyList<IReadOnlyList<long>> counts)
    {
        if (counts.Count == 0 || counts.Any(row => row.Count != counts.Count))
            throw new ArgumentException("a confusion matrix is square: one row and one column for each class");
        var flat = counts.SelectMany(row => row).ToArray();
        if (flat.Any(count => count < 0)) throw new ArgumentException("a confusion matrix holds counts, none negative");
        return new ConfusionMatrix(counts.Count, flat);
    }

    /// <summary>Rows whose true class is <paramref name="label"/>.</summary>
    public long Support(int label) => Enumerable.Range(0, Classes).Sum(predicted => this[label, predicted]);

    /// <summary>Rows predicted as <paramref name="predicted"/>, right or wrong: the paper's "predicted class counts" (its table 1).</summary>
    public long Predicted(int predicted) => Enumerable.Range(0, Classes).Sum(label => this[label, predicted]);

    /// <summary>Rows predicted as what they are: the diagonal's sum.</summary>
    public long Correct => Enumerable.Range(0, Classes).Sum(label => this[label, label]);

    /// <summary>The number of classes that have at least one row.</summary>
    public int OccurringClasses => Enumerable.Range(0, Classes).Count(label => Support(label) > 0);

    /// <summary>
    /// Recall of one class, TP / (TP + FN): the share of its rows predicted as it. 0 for a class without rows
    /// (scikit-learn's <c>zero_division=0</c>).
    /// </summary>
    public double Recall(int label) => Support(label) is > 0 and var support ? (double)this[label, label] / support : 0;

    /// <summary>This matrix with one class's rows taken from another: the test set in which that class alone was changed.</summary>
    /// <exception cref="ArgumentException">The two do not hold the same number of rows of that class.</exception>
    public ConfusionMatrix WithRowsOf(int label, ConfusionMatrix other)
    {
        if (other.Classes != Classes || other.Support(label) != Support(label))
            throw new ArgumentException($"the two test sets do not hold the same rows of class {label}");
        var counts = (long[])_counts.Clone();
        Array.Copy(other._counts, label * Classes, counts, label * Classes, Classes);
        return new ConfusionMatrix(Classes, counts);
    }

    /// <inheritdoc/>
    public bool Equals(ConfusionMatrix? other) => other is not null && _counts.AsSpan().SequenceEqual(other._counts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ConfusionMatrix);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Classes, Rows, Correct);

    /// <summary>Nested arrays, one true class a line, so that 28 classes do not fill 784 lines.</summary>
    internal sealed class Json : JsonConverter<ConfusionMatrix>
    {
        public override ConfusionMatrix Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            try
            {
                return FromCounts([.. document.RootElement.EnumerateArray().Select(row => row.EnumerateArray().Select(c => c.GetInt64()).ToArray())]);
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException)
            {
                throw new JsonException($"not a confusion matrix: {error.Message}", error);
            }
        }

        public override void Write(Utf8JsonWriter writer, ConfusionMatrix value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            for (var label = 0; label < value.Classes; label++)
            {
                var line = new StringBuilder("[");
                line.AppendJoin(", ", value._counts.AsSpan(label * value.Classes, value.Classes).ToArray());
                writer.WriteRawValue(line.Append(']').ToString());
            }

            writer.WriteEndArray();
        }
    }
}
