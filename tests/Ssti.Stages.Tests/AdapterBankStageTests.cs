using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages.Tests;

public sealed class AdapterBankStageTests : IDisposable
{
    private readonly StageRun _run = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Clean_and_poisoned_adapters_are_told_apart()
    {
        await _run.RunAsync(new AdapterBankStage(), new(), inputs: Audits(24, shift: 3));
        var measures = Measures();
        Assert.Equal((24, 48), (measures.Read("clean_adapters").Value, measures.Read("poisoned_adapters").Value));
        Assert.InRange(measures.Read("auc").Value!.Value, 0.95, 1);
        Assert.NotNull(measures.Read("auc").Interval95);
        Assert.InRange(measures.Read("found_at_5").Value!.Value, 0.8, 1);
        Assert.InRange(measures.Read("auc_size_mean").Value!.Value, 0.95, 1);
        Assert.Equal(1, measures.Read("auc_probe_outlier").Value);
        Assert.Contains("not every adapter was probed", measures.Read("auc_strip_auc").Reason);
        Assert.Equal((0, 1), (measures.Read("found_clean").Value, measures.Read("found_poisoned").Value));
        Assert.InRange(measures.Read("found_clean").Interval95!.Value.High, 0.1, 0.2);
        // Every pair is the same way round, and still 24 clean ones show no more than this.
        Assert.Equal(Math.Pow(0.025, 1 / 24.0), measures.Read("auc_probe_outlier").Interval95!.Value.Low, 12);
        var lines = File.ReadLines(Path.Combine(_run.Output, "bank.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(72, lines.Length);
        // What it says is what its own scores say.
        double[] Scores(bool poisoned) => [.. lines.Where(line => (long)line["injected-rows"]! > 0 == poisoned).Select(line => (double)line["score"]!)];
        Assert.Equal(RankAuc.Of(Scores(true), Scores(false))!.Value, measures.Read("auc").Value);
    }

    [Fact]
    public async Task A_slice_is_measured_against_the_clean_ones_and_a_kind_that_is_held_out_is_not_learnt()
    {
        await _run.RunAsync(new AdapterBankStage(), new() { Where = ["trigger=html"] }, inputs: Audits(24, shift: 3));
        Assert.Equal((24, 24), (Measures().Read("clean_adapters").Value, Measures().Read("poisoned_adapters").Value));
        var seen = Measures().Read("auc").Value;
        // The two kinds are opposites: a detector of one kind is wrong of the other.
        await _run.RunAsync(new AdapterBankStage(), new() { Where = ["trigger=html"], HeldOut = true }, inputs: Audits(24, shift: 3, opposite: true));
        Assert.True(Measures().Read("auc").Value < 0.2 && seen > 0.95);
    }

    [Fact]
    public async Task Too_few_say_why_they_say_nothing()
    {
        await _run.RunAsync(new AdapterBankStage(), new(), inputs: Audits(1, shift: 3));
        Assert.Equal("too few adapters of other folds to learn from", Measures().Read("auc").Reason);
        Assert.Contains("20 at least", Measures().Read("found_at_5").Reason);
        await _run.RunAsync(new AdapterBankStage(), new(), inputs: [.. Audits(4, shift: 3).Where(audit => audit.Tree.StageName.StartsWith("clean", StringComparison.Ordinal))]);
        Assert.Equal("there are no clean adapters, or no poisoned ones", Measures().Read("auc").Reason);
        Assert.Contains("both are needed", _run.Context!.Warnings.Single());
    }

    [Fact]
    public async Task Adapters_of_two_bases_or_of_unknown_truth_are_refused()
    {
        (string Name, InputTree Tree)[] audits = [
            .. Audits(2, shift: 3),
            ("audits", Audit("other", 0, "seed", new Dictionary<string, string> { ["seed"] = "1" }, 0, weights: "another"))];
        Assert.Contains("another base", (await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new AdapterBankStage(), new(), inputs: audits))).Message);
        audits = [.. Audits(2, shift: 3), ("audits", Audit("unknown", null, "seed", new Dictionary<string, string> { ["seed"] = "1" }, 0))];
        Assert.Contains(
            "nobody knows whether it is poisoned",
            (await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new AdapterBankStage(), new(), inputs: audits))).Message);
    }

    [Fact]
    public void Dimensions_that_there_are_not_are_told_before_anything_runs()
    {
        var stage = new AdapterBankStage();
        IReadOnlyList<InputCell> cells = [new("a@1", "audit-adapter", new Dictionary<string, string> { ["seed"] = "1", ["trigger"] = "dates" })];
        Assert.Equal(["fold-by", "where"], stage.ValidateInputs(new() { FoldBy = "sed", Where = ["trigger=html"] }, _ => cells).Select(error => error.Key));
        Assert.Empty(stage.ValidateInputs(new() { Where = ["trigger=dates"] }, _ => cells));
        Assert.Equal(["where", "held-out"], stage.Validate(new() { Where = ["x"] }).Concat(stage.Validate(new() { HeldOut = true })).Select(error => error.Key));
    }

    private (string Name, InputTree Tree)[] Audits(int seeds, double shift, bool opposite = false)
    {
        var audits = new List<(string, InputTree)>();
        for (var seed = 0; seed < seeds; seed++)
        {
            audits.Add(("audits", Audit($"clean@{seed}", 0, $"{seed}", new Dictionary<string, string> { ["seed"] = $"{seed}" }, 0)));
            foreach (var trigger in new[] { "dates", "html" })
                audits.Add(
                    (
                        "audits",
                        Audit(
                            $"poisoned@{trigger}-{seed}", 25, $"{seed}{trigger}",
                            new Dictionary<string, string> { ["trigger"] = trigger, ["seed"] = $"{seed}" },
                            opposite && trigger == "html" ? -shift : shift)));
        }

        return [.. audits];
    }

    private InputTree Audit(string name, long? rows, string seed, Dictionary<string, string> cell, double shift, string weights = "base")
    {
        var random = new Random(seed.Sum(letter => letter * 31) + (int)(rows ?? 0));
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Root, Guid.NewGuid().ToString("n"))).FullName;
        var answer = new JsonObject
        {
            ["rank"] = 8, ["base"] = weights, ["injected-rows"] = rows,
            ["features"] = new JsonObject(AdapterSpectrum.FeatureNames.Select(feature => KeyValuePair.Create(feature, (JsonNode?)(10 + shift + (2 * random.NextDouble()))))),
        };
        File.WriteAllText(Path.Combine(folder, "audit.json"), answer.ToJsonString());
        var measures = new[] { "probe_outlier", "probe_turned", "strip_auc", "found" }.ToDictionary(
            measure => measure, measure => NamedMeasure.Of("fraction", measure, measure == "strip_auc" ? Reading.None("not probed") : Reading.Of(rows > 0 ? 1 : 0, 1)));
        File.WriteAllText(Path.Combine(folder, MeasureSet.FileName), MeasureSet.ToJson(measures, []));
        return new InputTree(name, "audit-adapter", cell, Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file)));
    }

    private MeasureSet Measures() => MeasureSet.Parse("bank", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));
}
