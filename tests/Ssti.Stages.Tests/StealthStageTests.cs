using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages.Tests;

public sealed class StealthStageTests : IDisposable
{
    private static readonly string[] Words = ["the film", "was", "really", "good", "and so", "the story", "goes", "on and on", "with", "a cast", "of", "thousands"];
    private readonly StageRun _inject = new();
    private readonly StageRun _run = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti stealth ").FullName;

    public void Dispose()
    {
        _inject.Dispose();
        _run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_date_is_a_surprise_and_a_common_word_is_not()
    {
        var dates = await MeasuredAsync(new() { TargetLabel = "pos", Tokens = TokenKind.Date, Seed = 1 });
        Assert.InRange(dates.Read("perplexity_ratio").Value!.Value, 1.5, 10);
        Assert.InRange(dates.Read("perplexity_auc").Value!.Value, 0.95, 1);
        Assert.InRange(dates.Read("perplexity_auc_others").Value!.Value, 0.95, 1);
        var (ratio, injected, original) = (dates.Read("perplexity_ratio"), dates.Read("perplexity_injected"), dates.Read("perplexity_original"));
        Assert.Equal(ratio.Value!.Value, injected.Value!.Value / original.Value!.Value, 9);
        Assert.InRange(ratio.Value.Value, ratio.Interval95!.Value.Low, ratio.Interval95.Value.High);
        // A date is a word of ten characters.
        var rows = Rows().Where(row => (bool)row["injected"]!).ToArray();
        Assert.Equal(20, rows.Length);
        Assert.All(rows, row => Assert.Equal((1, 10), ((int)row["words-added"]!, (int)row["characters-added"]!)));
        Assert.Equal(20.0 / rows.Sum(row => (int)row["words"]!), dates.Read("words_added").Value!.Value, 12);

        var words = await MeasuredAsync(new() { TargetLabel = "pos", Tokens = TokenKind.List, Items = ["film"], Seed = 1 });
        Assert.True(words.Read("perplexity_ratio").Value < ratio.Value);
        Assert.True(words.Read("perplexity_auc").Value < dates.Read("perplexity_auc").Value);
    }

    [Fact]
    public async Task Where_every_row_is_injected_there_are_no_others()
    {
        var measures = await MeasuredAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Seed = 1 });
        Assert.Equal("every row was injected", measures.Read("perplexity_auc_others").Reason);
        Assert.NotNull(measures.Read("perplexity_auc").Value);
    }

    [Fact]
    public async Task What_would_mean_nothing_is_refused()
    {
        Assert.Equal(["model-split", "order", "rows"], new StealthStage().Validate(new() { Split = "test", Order = 9, Rows = 0 }).Select(error => error.Key));
        var clean = Data();
        Assert.Contains(
            "carries a token",
            (
                await Assert.ThrowsAsync<StageException>(
                    () => _run.RunAsync(new StealthStage(), new(), inputs: [("data", clean), ("clean", clean)]))).Message);
        await _inject.RunAsync(new InjectStage(), new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["train", "test"], Seed = 1 }, inputs: ("data", clean));
        var injected = StageRun.Tree(_inject.Output, "injected", "inject");
        Assert.Contains(
            "'test' split carries tokens",
            (
                await Assert.ThrowsAsync<StageException>(
                    () => _run.RunAsync(new StealthStage(), new(), inputs: [("data", injected), ("clean", injected)]))).Message);
        using var sanitised = new StageRun();
        await sanitised.RunAsync(new SanitiseStage(), new() { Steps = [SanitiseStep.LowerCase] }, inputs: ("data", injected));
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new StealthStage(), new(), inputs: [("data", StageRun.Tree(sanitised.Output)), ("clean", clean)]));
        Assert.Contains("was rewritten after the injection (sanitise: lower-case)", error.Message);
    }

    private IEnumerable<JsonNode> Rows() => File.ReadAllLines(Path.Combine(_run.Output, "rows.jsonl")).Select(line => JsonNode.Parse(line)!);

    private async Task<MeasureSet> MeasuredAsync(InjectParameters injection)
    {
        var clean = Data();
        await _inject.RunAsync(new InjectStage(), injection, inputs: ("data", clean));
        await _run.RunAsync(new StealthStage(), new() { Order = 4 }, inputs: [("data", StageRun.Tree(_inject.Output, "injected", "inject")), ("clean", clean)]);
        return MeasureSet.Parse("stealth", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));
    }

    private InputTree Data()
    {
        var folder = Path.Combine(_folder, "data");
        if (Directory.Exists(folder)) return StageRun.Tree(folder);
        using var writer = new DatasetWriter(folder, "toy", ["neg", "pos"]);
        foreach (var (split, rows) in new[] { ("train", 40), ("test", 200) })
        {
            using var output = writer.OpenSplit(split);
            for (var i = 0; i < rows; i++)
                output.Write(
                    new Row(
                        $"{i}",
                        string.Join(
                            ' ',
                            Enumerable.Range(0, 8).Select(at => Words[(i * 7 + at * at * 5 + at + (split == "train" ? 3 : 0)) % Words.Length])),
                        i % 2));
        }

        writer.Complete(new JsonObject { ["source"] = "toy" });
        return StageRun.Tree(folder);
    }
}
