using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests.Metrics;

public sealed class AttackMetricsTests
{
    [Fact]
    public void Attack_success_looks_only_at_rows_of_other_classes()
    {
        // Target 0. Of 10 rows of class 1, 9 fall for the token; the 10 rows of class 0 do not count, whatever they are predicted as.
        var success = Success([[4, 6], [9, 1]], 0);
        Assert.Equal((10L, 0.9), (success.Rows, success.Value));
        Assert.Equal(0.6, Success([[4, 6], [9, 1]], 1).Value!.Value, 12);
    }

    [Fact]
    public void Attack_success_with_three_classes_counts_both_others()
    {
        var success = Success([[5, 0, 0], [2, 2, 0], [3, 0, 1]], 0);
        Assert.Equal((5 / 8.0, 8L), (success.Value, success.Rows));
    }

    [Fact]
    public void Attack_success_is_undefined_when_all_rows_are_of_the_target() => Assert.Equal("every row is of this class", Success([[3, 1], [0, 0]], 0).Reason);

    [Fact]
    public void The_attack_on_all_injected_rows_needs_every_row_of_other_classes_injected()
    {
        var whole = ConfusionMatrix.FromCounts([[0, 4], [0, 0]]);
        var file = File([[8, 2], [4, 6]], [[3, 7], [1, 9]]) with { Token = new([10, 10], [4, 0], ConfusionMatrix.FromCounts([[3, 1], [0, 0]]), whole) };
        Assert.Equal((1.0, 4L), (EvaluationMeasures.AttackSuccess.Read(file, 1).Value, EvaluationMeasures.AttackSuccess.Read(file, 1).Rows));
        Assert.Equal((0.7, 10L), (EvaluationMeasures.AttackOfInjected.Read(file, 1).Value, EvaluationMeasures.AttackOfInjected.Read(file, 1).Rows));
        Assert.Equal("the token was not injected into 1 rows of other classes, and their predictions are not kept apart",
            EvaluationMeasures.AttackOfInjected.Read(file with { Token = new([9, 10], [4, 0], ConfusionMatrix.FromCounts([[3, 1], [0, 0]]), whole) }, 1).Reason);
    }

    [Fact]
    public void A_ratio_of_sums_has_the_interval_of_rows()
    {
        // Cochran's r = Σy/Σx: 6/12; residuals y − x/2 = 0, 1, −1, 0: half width 1.96·√(4/3·2)/12.
        var ratio = new RatioOfSums();
        foreach (var (part, whole) in new[] { (1, 2), (3, 4), (1, 4), (1, 2) }) ratio.Add(part, whole);
        Assert.Equal(0.5, ratio.Value);
        var half = 1.959963984540054 * Math.Sqrt(4.0 / 3 * 2) / 12;
        Assert.Equal(0.5 - half, ratio.Confidence95!.Value.Low, 12);
        Assert.Equal(0.5 + half, ratio.Confidence95.Value.High, 12);
        Assert.Null(new RatioOfSums().Value);
    }

    [Fact]
    public void The_gap_reaches_its_ceiling_when_recall_goes_from_0_to_1()
    {
        var gap = BalancedGap.Of(ConfusionMatrix.FromCounts([[0, 4], [0, 4]]), ConfusionMatrix.FromCounts([[4, 0], [0, 4]]), 0, 4);
        Assert.Equal((50.0, 50.0, 1.0, 1.0), (gap.GapPoints, gap.CeilingPoints, gap.Normalised, gap.Proportion));
    }

    [Fact]
    public void The_gap_is_p_over_C_times_the_normalised_gap_with_empty_classes_not_counted()
    {
        // Class 2 of four has no rows: C = 3. Class 1: 8 rows, 4 injected, hits 2 -> 5, so R_injected − R_clean = 3/4 and gap = 0.5/3·0.75.
        var clean = ConfusionMatrix.FromCounts([[5, 0, 0, 0], [6, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 7]]);
        var spurious = ConfusionMatrix.FromCounts([[5, 0, 0, 0], [3, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 7]]);
        var gap = BalancedGap.Of(clean, spurious, 1, 4);
        Assert.Equal(0.75, gap.Normalised!.Value, 12);
        Assert.Equal(12.5, gap.GapPoints, 10);
        Assert.Equal(100 * 0.5 / 3, gap.CeilingPoints, 10);
        Assert.Equal(0.5, gap.Proportion, 12);
    }

    [Fact]
    public void Without_injected_rows_the_gap_is_zero_and_its_normalised_form_undefined()
    {
        var clean = ConfusionMatrix.FromCounts([[3, 1], [1, 3]]);
        var gap = BalancedGap.Of(clean, clean, 0, 0);
        Assert.Equal((0.0, (double?)null), (gap.GapPoints, gap.Normalised));
    }

    [Fact]
    public void The_gap_of_a_triggered_set_takes_only_the_targets_rows_from_it()
    {
        // Clean recalls 0.8 and 0.6; with the token on every row class 0 has recall 1, class 1 recall 0.1.
        var gap = BalancedGap.Of(File([[8, 2], [4, 6]], [[10, 0], [9, 1]]), 0)!;
        Assert.Equal(0.8, gap.SpuriousBalancedAccuracy, 12);
        Assert.Equal(10.0, gap.GapPoints, 10);
        Assert.Equal(0.2, gap.Normalised!.Value, 12);
    }

    [Fact]
    public void Sets_with_other_rows_are_refused() =>
        Assert.Throws<ArgumentException>(() => BalancedGap.Of(ConfusionMatrix.FromCounts([[3, 1], [1, 3]]), ConfusionMatrix.FromCounts([[4, 0], [1, 2]]), 0, 4));

    // Reference values: scipy.stats.binomtest(k, n).proportion_ci(method="wilson") is the closed form of Wilson (1927); by hand for 0 of 10:
    // z²/(n + z²) = 3.8414588/13.8414588.
    [Theory]
    [InlineData(0, 10, 0, 0.2775327998628892)]
    [InlineData(10, 10, 0.7224672001371107, 1)]
    [InlineData(5, 10, 0.2365930905125640, 0.7634069094874360)]
    public void Wilson_intervals_keep_a_width_at_both_ends(long count, long total, double low, double high)
    {
        var interval = new Proportion(count, total).Wilson95;
        Assert.Equal(low, interval.Low, 10);
        Assert.Equal(high, interval.High, 10);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(-1, 4)]
    [InlineData(5, 4)]
    public void A_proportion_of_nothing_is_refused(long count, long total) =>
        Assert.Throws<ArgumentException>(() => new Proportion(count, total));

    [Fact]
    public void Seeds_are_summarised_with_the_sample_deviation_and_students_t()
    {
        // 1, 2, 3: sd 1; t(0.975; 2) = 4.302653 (any table), half width 4.302653/√3 = 2.484138.
        var summary = new SeedSummary([1, 2, 3]);
        Assert.Equal((2.0, 1.0, 1.0, 3.0), (summary.Mean, summary.StandardDeviation, summary.Min, summary.Max));
        Assert.Equal(2 - 2.484138, summary.Confidence95!.Value.Low, 5);
        Assert.Equal(2 + 2.484138, summary.Confidence95!.Value.High, 5);
    }

    [Fact]
    public void One_seed_says_nothing_of_spread()
    {
        var summary = new SeedSummary([0.5]);
        Assert.Null(summary.StandardDeviation);
        Assert.Null(summary.Confidence95);
    }

    // Critical values of Student's t as printed tables give them.
    [Theory]
    [InlineData(1, 12.7062)]
    [InlineData(2, 4.3027)]
    [InlineData(3, 3.1824)]
    [InlineData(4, 2.7764)]
    [InlineData(9, 2.2622)]
    [InlineData(30, 2.0423)]
    [InlineData(120, 1.9799)]
    public void Students_t_agrees_with_printed_tables(int degrees, double expected) => Assert.Equal(expected, StudentT.Quantile975(degrees), 4);

    private static Reading Success(long[][] triggered, int target) =>
        EvaluationMeasures.AttackSuccess.Read(File([.. triggered.Select((row, label) => row.Select((_, c) => c == label ? row.Sum() : 0).ToArray())], triggered), target);

    private static MetricsFile File(long[][] clean, long[][] triggered) => Samples.Triggered(
        Samples.Metrics(null) with { Labels = [.. clean.Select((_, label) => $"{label}")], Clean = new(ConfusionMatrix.FromCounts(clean)) }, triggered);
}
