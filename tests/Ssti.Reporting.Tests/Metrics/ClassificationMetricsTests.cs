using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests.Metrics;

public sealed class ClassificationMetricsTests
{
    // The example of scikit-learn's classification_report documentation.
    [Fact]
    public void Per_class_values_are_those_of_the_classification_report_example()
    {
        var metrics = ClassificationMetrics.Of([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 3);

        Assert.Equal(0.6, metrics.Accuracy, 12);
        Assert.Equal((0.5, 1.0, 2.0 / 3, 1L, 2L), Tuple(metrics.Classes[0]));
        Assert.Equal((0.0, 0.0, 0.0, 1L, 1L), Tuple(metrics.Classes[1]));
        Assert.Equal((1.0, 2.0 / 3, 0.8, 3L, 2L), Tuple(metrics.Classes[2]));
        // (1·2/3 + 1·0 + 3·0.8) / 5, printed there as 0.61.
        Assert.Equal(0.6133333333333333, metrics.WeightedF1, 12);
    }

    [Fact]
    public void Balanced_accuracy_is_that_of_the_balanced_accuracy_score_example() =>
        Assert.Equal(0.625, ClassificationMetrics.Of([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 2).BalancedAccuracy, 12);

    [Fact]
    public void Weighted_f1_is_that_of_the_f1_score_example() =>
        Assert.Equal(0.26666666666666666, ClassificationMetrics.Of([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 3).WeightedF1, 12);

    [Fact]
    public void Confusion_is_that_of_the_confusion_matrix_example()
    {
        var confusion = ConfusionMatrix.Of([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2], 3);
        Assert.Equal(ConfusionMatrix.FromCounts([[2, 0, 0], [0, 0, 1], [1, 0, 2]]), confusion);
        Assert.Equal([3L, 0L, 3L], Enumerable.Range(0, 3).Select(confusion.Predicted));
    }

    [Fact]
    public void A_class_without_rows_is_left_out_of_the_balanced_accuracy_even_when_predicted()
    {
        // Class 2 does not occur: recalls 1/2 and 1 remain. F1: class 0 2·1/(2+1) = 2/3, class 1 1, class 2 2·0/(0+1) = 0.
        var metrics = ClassificationMetrics.Of([0, 0, 1, 1], [0, 2, 1, 1], 3);
        Assert.Equal(0.75, metrics.BalancedAccuracy, 12);
        Assert.Equal((0.0, 0.0, 0.0, 0L, 1L), Tuple(metrics.Classes[2]));
        Assert.Equal((2 * (2.0 / 3) + 2 * 1.0) / 4, metrics.WeightedF1, 12);
    }

    [Fact]
    public void A_class_that_neither_occurs_nor_is_predicted_has_zeros_and_changes_nothing()
    {
        var two = ClassificationMetrics.Of([0, 1, 1], [0, 1, 0], 2);
        var three = ClassificationMetrics.Of([0, 1, 1], [0, 1, 0], 3);
        Assert.Equal((0.0, 0.0, 0.0, 0L, 0L), Tuple(three.Classes[2]));
        Assert.Equal((two.Accuracy, two.BalancedAccuracy, two.WeightedF1), (three.Accuracy, three.BalancedAccuracy, three.WeightedF1));
    }

    [Fact]
    public void A_single_class_has_its_recall_as_accuracy_and_balanced_accuracy()
    {
        // Rows of class 1 only, 3 of 4 right: precision 1, recall 3/4, F1 6/7.
        var metrics = ClassificationMetrics.Of([1, 1, 1, 1], [1, 1, 1, 0], 2);
        Assert.Equal((0.75, 0.75), (metrics.Accuracy, metrics.BalancedAccuracy));
        Assert.Equal(6.0 / 7, metrics.WeightedF1, 12);
    }

    [Fact]
    public void No_rows_is_an_error_that_says_so() =>
        Assert.Contains("no rows", Assert.Throws<ArgumentException>(() => ClassificationMetrics.Of([], [], 2)).Message);

    [Theory]
    [InlineData(2, 0)]
    [InlineData(0, 2)]
    [InlineData(-1, 0)]
    public void A_class_out_of_range_is_an_error_that_names_the_row(int label, int prediction) =>
        Assert.Contains("row 1", Assert.Throws<ArgumentException>(() => ConfusionMatrix.Of([0, label], [0, prediction], 2)).Message);

    [Fact]
    public void Labels_and_predictions_of_different_length_are_an_error() =>
        Assert.Throws<ArgumentException>(() => ConfusionMatrix.Of([0, 1], [0], 2));

    [Theory]
    [InlineData(new[] { 0.5f, 0.5f }, 0)]
    [InlineData(new[] { -1f, 2f, 2f }, 1)]
    [InlineData(new[] { float.NegativeInfinity, float.NegativeInfinity }, 0)]
    [InlineData(new[] { 0f, -0f, 1e-30f }, 2)]
    [InlineData(new[] { -0f, 0f }, 0)]
    public void The_lowest_of_equal_logits_wins(float[] logits, int expected) => Assert.Equal(expected, Argmax.Of(logits));

    [Fact]
    public void A_logit_that_is_not_a_number_is_refused() =>
        Assert.Contains("logit 1", Assert.Throws<ArgumentException>(() => Argmax.Of([0f, float.NaN])).Message);

    private static (double, double, double, long, long) Tuple(ClassMetrics c) => (c.Precision, c.Recall, c.F1, c.Support, c.Predicted);
}
