using Snapshooter.Xunit;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Measures;
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
        Evaluation[] runs = [new("evaluate", new Dictionary<string, string>(), Samples.Metrics(null) with { Triggered = null, Token = null })];
        Assert.Contains("without a triggered test set", Assert.Throws<ArgumentException>(() => EvaluationTable.Build(runs, new("t") { Dimensions = [] })).Message);
    }

    [Fact]
    public void Runs_of_several_targets_have_no_common_success_rate()
    {
        var table = EvaluationTable.Build([new("e@a", Cell("x", "1"), Samples.Metrics(0)), new("e@b", Cell("x", "2"), Samples.Metrics(1))], new("t") { Dimensions = ["token"] });
        Assert.Equal("–", table.Rows[0][5].ToString());
    }

    [Fact]
    public void Per_class_has_a_row_for_each_class_and_a_reason_to_be_believed() =>
        Snapshot.Match(EvaluationTable.Build(Runs(), ByToken with { Layout = EvaluationLayout.PerClass, Rows = [] }).ToConsole());

    [Fact]
    public void Confusion_has_a_row_for_each_true_class_with_and_without_the_token() =>
        Snapshot.Match(EvaluationTable.Build(Runs(), ByToken with { Layout = EvaluationLayout.Confusion, Rows = [] }).ToConsole());

    [Fact]
    public void A_single_run_has_the_interval_of_its_rows_and_several_have_students()
    {
        var runs = Runs();
        var one = Cells(runs[..1], SpreadKind.Range);
        Assert.Equal("85.0 % [64.0–94.8]", one["clean_accuracy"]);
        Assert.Equal("85.0 %", Cells(runs[..1], SpreadKind.None)["clean_accuracy"]);
        // ASR of two runs, 1.0 and 0.9: 0.95 ± 12.706·0.0707/√2, cut at 1.
        Assert.Equal("95.0 % [31.5–100.0]", Cells(runs[2..], SpreadKind.Confidence)["asr"]);

        static Dictionary<string, string> Cells(Evaluation[] of, SpreadKind spread)
        {
            var table = EvaluationTable.Build(of, new("t") { Dimensions = [], Spread = spread });
            return table.Columns.Select((column, index) => (column.Key, Text: table.Rows[0][index].ToString())).ToDictionary(cell => cell.Key, cell => cell.Text);
        }
    }

    [Fact]
    public void A_baseline_lists_the_targets_beside_it_and_never_a_page_of_classes()
    {
        string[] labels = [.. Enumerable.Range(0, 28).Select(label => $"profession-{label}")];
        long[][] clean = [.. labels.Select((_, label) => labels.Select((_, c) => c == label ? 3L : 0).ToArray())];
        var file = Samples.Triggered(Samples.Metrics(null) with { Labels = labels, Clean = new(ConfusionMatrix.FromCounts(clean)) }, clean);
        Evaluation[] alone = [new("base", new Dictionary<string, string>(), file)];
        Evaluation[] beside = [.. alone, new("evaluate@7", Cell("7", "40"), file with { Target = 7 })];
        var options = new EvaluationTableOptions("t") { Dimensions = [], Layout = EvaluationLayout.Metrics };
        Assert.Equal("–", EvaluationTable.Build(alone, options).Rows[0][5].ToString());
        Assert.Equal("profession-7: 0.0 %", EvaluationTable.Build(beside, options).Rows[0][5].ToString());
        var gap = EvaluationTable.Build(beside, options);
        Assert.Equal("+3.6 pp", gap.Rows[1][gap.Columns.Select(column => column.Key).ToList().IndexOf("gap_ceiling")].ToString());
    }

    [Fact]
    public void What_an_evaluation_calls_doubtful_stands_under_the_table_with_its_name()
    {
        Evaluation[] runs = [.. Runs()];
        runs[3] = runs[3] with { Metrics = runs[3].Metrics with { Notes = ["something was cut"] } };
        Assert.Contains("Warning (evaluate@1-45): something was cut.", EvaluationTable.Build(runs, ByToken).Notes);
        var all = runs.Select(run => run with { Metrics = run.Metrics with { Notes = ["something was cut"] } }).ToArray();
        Assert.Contains("Warning: something was cut.", EvaluationTable.Build(all, ByToken).Notes);
    }

    [Fact]
    public void A_column_has_the_definition_of_its_measure()
    {
        var table = EvaluationTable.Build(Runs(), ByToken);
        Assert.Equal(EvaluationMeasures.AttackSuccess.Definition, table.Columns.Single(column => column.Key == "asr").Definition);
        Assert.Contains(table.Notes, note => note.Contains(EvaluationMeasures.AttackSuccess.Definition, StringComparison.Ordinal));
    }

    private static Evaluation[] Runs() =>
    [
        new("base@seed-40", new Dictionary<string, string> { ["seed"] = "40" }, Samples.Metrics(null)),
        new("base@seed-45", new Dictionary<string, string> { ["seed"] = "45" }, Samples.Metrics(null)),
        new("evaluate@1-40", Cell("1", "40"), Samples.Metrics(1)),
        new("evaluate@1-45", Cell("1", "45"), Samples.Triggered(Samples.Metrics(1), [[1, 9], [0, 10]])),
    ];

    private static Dictionary<string, string> Cell(string token, string seed) => new() { ["token"] = token, ["seed"] = seed };
}
