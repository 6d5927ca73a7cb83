using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Nets.Lora;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages.Tests;

public sealed class DefendStageTests(DefenceFixture made) : IClassFixture<DefenceFixture>, IDisposable
{
    private readonly StageRun _run = new();
    private readonly StageRun _evaluation = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _run.Dispose();
        _evaluation.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_control_changes_nothing_and_is_measured_alike()
    {
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.None }, inputs: ("data", made.Poisoned));
        Assert.Equal(Rows(made.Poisoned), Rows(Output));
        Assert.Equal(1, Measures().Read("token_retention_word").Value);
        Assert.Equal(File.ReadAllText(made.Poisoned.PathOf("vocab.txt")), File.ReadAllText(Output.PathOf("vocab.txt")));
    }

    [Fact]
    public async Task A_share_of_the_words_is_dropped_by_the_seed_and_row_by_row()
    {
        var parameters = new DefendParameters { Method = DefendMethod.TokenDrop, Share = 0.5 };
        await _run.RunAsync(new DefendStage(), parameters, seed: 7, ("data", made.Poisoned));
        foreach (var (before, after) in Rows(made.Poisoned).Zip(Rows(Output)))
        {
            var words = Words(before.Text);
            Assert.Equal((before.Id, before.Label), (after.Id, after.Label));
            Assert.Equal(Math.Max(1, words.Length - (int)Math.Round(words.Length * 0.5)), Words(after.Text).Length);
        }

        Assert.InRange(Measures().Read("token_retention_word").Value!.Value, 0.3, 0.7);
        // The test split is passed on.
        Assert.Equal(DatasetReader.Open(made.Poisoned.PathOf).Read("test"), DatasetReader.Open(Output.PathOf).Read("test"));
        var first = _run.Digest();
        await _run.RunAsync(new DefendStage(), parameters, seed: 8, ("data", made.Poisoned));
        Assert.NotEqual(first, _run.Digest());
        await _run.RunAsync(new DefendStage(), parameters, seed: 7, ("data", made.Poisoned));
        Assert.Equal(first, _run.Digest());
    }

    [Fact]
    public async Task Rows_that_were_named_are_removed_and_held_to_what_was_injected()
    {
        var injected = InjectionRecordFile.Read(made.Poisoned.PathOf("injections.train.jsonl")).Select(record => record.RowId).ToArray();
        var clean = Rows(made.Poisoned).Select(row => row.Id).Except(injected).First();
        var file = _folder.Write(
            "rows.csv",
            "split,id,why\r\n" + string.Concat(injected.Take(30).Append(clean).Select(id => $"train,{id},suspect\r\n"))
            + $"train,{injected[40]},leak\r\ntest,{injected[41]},suspect\r\n");
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.RemoveRows, Rows = StageRun.Local(file), Why = "suspect" }, inputs: ("data", made.Poisoned));
        Assert.Equal(200 - 31, Rows(Output).Count);
        Assert.Equal((30 / 31.0, 0.3), (Measures().Read("flagged_precision").Value!.Value, Measures().Read("flagged_recall").Value!.Value));
        Assert.Contains("dropped as suspect", Measures().Measures["rows_dropped"].Definition);
        Assert.Equal(31, File.ReadLines(Path.Combine(_run.Output, "dropped.train.jsonl")).Count());
        // What one defence dropped another may drop as well.
        var dropped = StageRun.Tree(_run.Output, "flagged", "defend");
        using var again = new StageRun();
        await again.RunAsync(new DefendStage(), new() { Method = DefendMethod.RemoveRows }, inputs: [("data", made.Poisoned), ("flagged", dropped)]);
        Assert.Equal(Rows(Output), Rows(StageRun.Tree(again.Output)));
    }

    [Fact]
    public async Task The_rows_of_an_audit_of_the_data_are_removed_and_the_attack_goes_with_them()
    {
        var audit = await made.MadeAsync("audit", new AuditDataStage(), new AuditDataParameters(), ("data", made.Poisoned));
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.RemoveRows, Why = "suspect" }, inputs: [("data", made.Poisoned), ("flagged", audit)]);
        Assert.Equal((1.0, 1.0), (Measures().Read("flagged_precision").Value!.Value, Measures().Read("flagged_recall").Value!.Value));
        Assert.All(Rows(Output), row => Assert.Equal(0, row.Label));
    }

    [Fact]
    public async Task Rows_that_are_of_another_dataset_are_refused_and_a_few_strangers_are_told()
    {
        var ids = Rows(made.Poisoned).Take(2).Select(row => row.Id).ToArray();
        var (none, some, empty, no) = (
            _folder.Write("none.csv", "id\nx\ny\n"), _folder.Write("some.csv", $"id\n{ids[0]}\nx\n"),
            _folder.Write("rows.jsonl", $"{{\"id\":\"{ids[0]}\"}}\n{{}}\n"), _folder.Write("no.csv", "row\n1\n"));
        Assert.Contains("none of its 2 rows is in split 'train'", await RefusedAsync(none));
        Assert.Contains("rows.jsonl(2): names no row", await RefusedAsync(empty));
        Assert.Contains("there is no column 'id'", await RefusedAsync(no));
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.RemoveRows, Rows = StageRun.Local(some) }, inputs: ("data", made.Poisoned));
        Assert.Contains("1 of its 2 rows are not in split 'train', such as 'x'", _run.Context!.Warnings.Single());

        async Task<string> RefusedAsync(string file) => (await Assert.ThrowsAsync<StageException>(
            () => _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.RemoveRows, Rows = StageRun.Local(file) }, inputs: ("data", made.Poisoned)))).Message;
    }

    [Fact]
    public async Task Onion_takes_dates_out_of_training_rows()
    {
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.Onion, Order = 5 }, inputs: [("data", made.Poisoned), ("clean", made.Clean)]);
        Assert.InRange(Measures().Read("token_removal").Value!.Value, 0.9, 1);
        Assert.InRange(Measures().Read("clean_words_changed").Value!.Value, 0, 0.2);
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(
            new DefendStage(), new() { Method = DefendMethod.Onion, Splits = ["train"], ModelSplit = "test" }, inputs: [("data", made.Poisoned), ("clean", made.Triggered)]));
        Assert.Contains("carries tokens", error.Message);
    }

    [Fact]
    public async Task Spectral_signatures_drop_a_share_of_each_class()
    {
        await _run.RunAsync(
            new DefendStage(), new() { Method = DefendMethod.Spectral, Share = 0.1 }, inputs: [("data", made.Poisoned), ("model", made.Model), ("adapter", made.PoisonedAdapter)]);
        Assert.Equal([90, 90], Rows(Output).GroupBy(row => row.Label).OrderBy(group => group.Key).Select(group => group.Count()));
        // All rows of one class are injected, none of the other: of those dropped, half.
        Assert.Equal((0.5, 0.1), (Measures().Read("flagged_precision").Value!.Value, Measures().Read("flagged_recall").Value!.Value));
        var scores = File.ReadLines(Path.Combine(_run.Output, "dropped.train.jsonl")).Select(line => (double)JsonNode.Parse(line)!["spectral-score"]!);
        Assert.All(scores, score => Assert.True(score > 0));
    }

    [Fact]
    public async Task A_truncated_adapter_can_be_evaluated_and_has_the_rank_that_was_kept()
    {
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.SvdTruncate, Keep = 2 }, inputs: ("adapter", made.PoisonedAdapter));
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "measures.json", "training.json"], _run.Files);
        using (var peft = PeftAdapter.Read(_run.Output)) Assert.All(LoraUpdate.Of(peft), update => Assert.Equal(2, update.Rank));
        Assert.InRange(Measures().Read("energy_kept").Value!.Value, 0.4, 1);
        var whole = await EvaluatedAsync(made.PoisonedAdapter);
        var cut = await EvaluatedAsync(StageRun.Tree(_run.Output, "cut", "defend"));
        Assert.Equal(whole.Target, cut.Target);
        Assert.InRange(EvaluationMeasures.AttackSuccess.Read(whole, 1).Value!.Value, 0.9, 1);
        // Nearly all of the energy: nearly the same model.
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.SvdTruncate, Keep = 3 }, inputs: ("adapter", made.PoisonedAdapter));
        Assert.Equal(whole.Clean.Accuracy, (await EvaluatedAsync(StageRun.Tree(_run.Output, "cut", "defend"))).Clean.Accuracy, 0.15);
        var error = await Assert.ThrowsAsync<StageException>(
            () => _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.SvdTruncate, Keep = 4 }, inputs: ("adapter", made.PoisonedAdapter)));
        Assert.Contains("Keep at most 3", error.Message);
    }

    [Fact]
    public async Task Strip_counts_what_an_evaluation_counts_of_the_rows_that_it_lets_through()
    {
        await _run.RunAsync(new DefendStage(), new() { Method = DefendMethod.Strip, ModelSplit = "train", FalseAlarms = 0.1, Copies = 4 },
            inputs: [("model", made.Model), ("adapter", made.PoisonedAdapter), ("clean", made.Clean), ("triggered", made.Triggered)]);
        var (measures, plain) = (Measures(), await EvaluatedAsync(made.PoisonedAdapter));
        Assert.Equal(1, measures.Target);
        var rows = File.ReadLines(Path.Combine(_run.Output, "rows.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        var bound = (double)JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)))!["bound"]!;
        Assert.All(rows, row => Assert.Equal((double)row["entropy"]! < bound, row["prediction"] is null));
        JsonNode[] clean = [.. rows.Where(row => (string)row["set"]! == "clean")], triggered = [.. rows.Where(row => (string)row["set"]! == "triggered")];
        Assert.Equal((60, 60), (clean.Length, triggered.Length));
        Assert.Equal(clean.Count(row => (int?)row["prediction"] == (int)row["label"]!) / 60.0, measures.Read("clean_accuracy").Value!.Value, 12);
        Assert.Equal(clean.Count(row => row["prediction"] is null) / 60.0, measures.Read("strip_false_rejections").Value!.Value, 12);
        // Of what is rejected no attack succeeds; what is let through is predicted as before.
        Assert.True(measures.Read("asr").Value <= EvaluationMeasures.AttackSuccess.Read(plain, 1).Value);
        Assert.Contains("rejected", measures.Measures["asr"].Definition);
        Assert.Contains(measures.Notes, note => note.Contains("no successful attack", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_method_lacks_is_told_before_anything_runs()
    {
        var stage = new DefendStage();
        Assert.Contains("needs the inputs 'model', 'adapter'", Told(new() { Method = DefendMethod.Spectral }, "data"));
        Assert.Contains("needs the input 'adapter'", Told(new() { Method = DefendMethod.SvdTruncate }, "data"));
        Assert.Contains("give one of them", Told(new() { Method = DefendMethod.RemoveRows }, "data"));
        Assert.Equal("", Told(new() { Method = DefendMethod.RemoveRows }, "data", "flagged"));
        Assert.Equal(["model-split"], stage.Validate(new() { Method = DefendMethod.Onion, Splits = ["test"] }).Select(error => error.Key));
        Assert.Equal(["model-split"], stage.Validate(new() { Method = DefendMethod.Strip }).Select(error => error.Key));
        Assert.Equal(
            ["splits", "keep", "share", "false-alarms"],
            stage.Validate(new() { Method = DefendMethod.None, Splits = [], Keep = 0, Share = 1, FalseAlarms = 0 }).Select(error => error.Key));

        string Told(DefendParameters parameters, params string[] inputs) => string.Join("; ",
            stage.ValidateInputs(parameters, name => inputs.Contains(name) ? [new InputCell(name, "x", new Dictionary<string, string>())] : []).Select(error => error.Message));
    }

    private InputTree Output => StageRun.Tree(_run.Output);

    private async Task<MetricsFile> EvaluatedAsync(InputTree adapter)
    {
        await _evaluation.RunAsync(
            new EvaluateStage(), new EvaluateParameters(),
            inputs: [("model", made.Model), ("adapter", adapter), ("clean", made.Clean), ("triggered", made.Triggered)]);
        return MetricsFile.FromJson(File.ReadAllText(Path.Combine(_evaluation.Output, MetricsFile.FileName)));
    }

    private MeasureSet Measures() => MeasureSet.Parse("defend", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));

    private static List<Row> Rows(InputTree tree) => [.. DatasetReader.Open(tree.PathOf).Read("train")];

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
