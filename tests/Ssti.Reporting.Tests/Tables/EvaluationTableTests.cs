using Snapshooter.Xunit;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class EvaluationTableTests
{
    private static readonly EvaluationTableOptions ByToken = new("Predicted class counts")
    {
        Dimensions = ["token"],
        Rows = [new("base", "base (no injection)", [14003, 10997]), new("1", "class-1 token")],
    };

    [Fact]
    public void Predicted_counts_stand_beside_accuracy_success_and_the_published_numbers() =>
        Snapshot.Match(EvaluationTable.Build(Runs(), ByToken).ToConsole());

    [Fact]
    public void Each_run_can_have_its_row()
    {
        var table = EvaluationTable.Build(Runs(), ByToken with { EachRun = true });
        Assert.Equal(
            ["base (no injection)", "  seed 40", "  seed 45", "class-1 token", "  seed 40", "  seed 45"],
            table.Rows.Select(row => row[0].ToString()));
    }

    [Fact]
    public void The_metrics_layout_shows_the_gap_with_its_normalised_form() =>
        Snapshot.Match(EvaluationTable.Build(Runs(), ByToken with { Layout = EvaluationLayout.Metrics, Rows = [], Spread = SpreadKind.None }).ToMarkdown());

    [Fact]
    public void Means_and_spreads_are_over_the_runs_of_a_row()
    {
        var count = (NumberCell)EvaluationTable.Build(Runs(), ByToken).Rows[1][2];
        Assert.Equal((19.5, 19.0, 20.0), (count.Value, count.Spread!.Low, count.Spread.High));
    }

    [Fact]
    public void A_row_without_evaluations_is_an_error_that_lists_those_there_are() => Assert.Contains(
        "there are: base, 1",
        Assert.Throws<ArgumentException>(() => EvaluationTable.Build(Runs(), ByToken with { Rows = [new("0", "x")] })).Message);

    [Fact]
    public void An_evaluation_without_a_row_is_an_error_and_not_dropped() => Assert.Contains(
        "belongs to no row",
        Assert.Throws<ArgumentException>(() => EvaluationTable.Build(Runs(), ByToken with { Rows = [new("base", "x")] })).Message);

    [Fact]
    public void Evaluations_of_other_data_are_refused()
    {
        Evaluation[] runs = [.. Runs(), new("evaluate@x", Cell("1", "50"), Samples.Metrics(1) with { Dataset = "sst2" })];
        Assert.Contains("differ in data", Assert.Throws<ArgumentException>(() => EvaluationTable.Build(runs, ByToken)).Message);
    }

    [Fact]
    public void Predicted_counts_need_the_triggered_set()
    {
        Evaluation[] runs = [new("evaluate", new Dictionary<string, string>(), Samples.Metrics(null) with { Triggered = null })];
        Assert.Contains("without a triggered test set", Assert.Throws<ArgumentException>(() => EvaluationTable.Build(runs, new("t") { Dimensions = [] })).Message);
    }

    [Fact]
    public void Runs_of_several_targets_have_no_common_success_rate()
    {
        var table = EvaluationTable.Build([new("e@a", Cell("x", "1"), Samples.Metrics(0)), new("e@b", Cell("x", "2"), Samples.Metrics(1))], new("t") { Dimensions = ["token"] });
        Assert.Equal("–", table.Rows[0][4].ToString());
    }

    private static Evaluation[] Runs() =>
    [
        new("base@seed-40", new Dictionary<string, string> { ["seed"] = "40" }, Samples.Metrics(null)),
        new("base@seed-45", new Dictionary<string, string> { ["seed"] = "45" }, Samples.Metrics(null)),
        new("evaluate@1-40", Cell("1", "40"), Samples.Metrics(1)),
        new("evaluate@1-45", Cell("1", "45"), Samples.Metrics(1) with { Triggered = new ClassificationMetrics(ConfusionMatrix.FromCounts([[1, 9], [0, 10]])) }),
    ];

    private static Dictionary<string, string> Cell(string token, string seed) => new() { ["token"] = token, ["seed"] = seed };
}
