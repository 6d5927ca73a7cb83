using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

namespace Ssti.Stages.Tests;

/// <summary>Evaluations of adapters on one base that are made together, through the engine: keys and files are those of each alone.</summary>
public sealed class EvaluateBankTests : IDisposable
{
    private const string Yaml = """
        name: bank
        seed: 7
        compute: { device: cpu, threads: 1, dtype: fp32 }
        stages:
          corpus: { uses: corpus, with: { train: 60, test: 20, unlabelled: 40 } }
          base:
            uses: pretrain
            needs: { data: corpus }
            with: { layers: 1, hidden-size: 16, heads: 2, intermediate-size: 32, max-length: 16, steps: 2, batch-size: 8 }
          dated: { uses: inject, needs: { data: corpus }, matrix: { label: [0, 1] }, with: { tokens: date, target-label: "${{ matrix.label }}", splits: [train, test] } }
          tuned:
            uses: train
            needs: { data: dated, model: base }
            matrix: { rank: [2, 8] }
            with: { rank: "${{ matrix.rank }}", target-modules: [dense], max-length: 16, steps: 4, batch-size: 8, learning-rate: 0.01 }
          whole: { uses: train, needs: { data: corpus, model: base }, with: { train: everything, max-length: 16, steps: 2, batch-size: 8 } }
          masked: { uses: train, needs: { data: corpus, model: base }, with: { rank: 4, pooling: masked-mean, max-length: 16, steps: 2, batch-size: 8 } }
          short: { uses: train, needs: { data: corpus, model: base }, with: { rank: 4, max-length: 12, steps: 2, batch-size: 8 } }
          evaluation: { uses: evaluate, needs: { model: base, adapter: tuned, clean: corpus, spurious: dated } }
          of-whole: { uses: evaluate, needs: { model: base, adapter: whole, clean: corpus } }
          of-masked: { uses: evaluate, needs: { model: base, adapter: masked, clean: corpus } }
          of-short: { uses: evaluate, needs: { model: base, adapter: short, clean: corpus } }
          refused: { uses: evaluate, needs: { model: base, adapter: masked, clean: corpus, spurious: corpus } }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti bank ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Keys_and_files_are_those_of_each_alone_and_one_that_is_refused_takes_nobody_down()
    {
        var alone = await RunAsync("alone", together: 1);
        var together = await RunAsync("together", together: 16);
        Assert.Equal(
            alone.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Key, stage.Tree)),
            together.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Key, stage.Tree)));
        var evaluations = together.Stages.Where(stage => stage.Instance.Kind is EvaluateStage).ToDictionary(stage => stage.Instance.Name);
        Assert.Equal(8, evaluations.Count);
        Assert.Equal(StageState.Failed, evaluations["refused"].State);
        Assert.Contains("no row of its 'test' split carries a token", evaluations["refused"].Error);
        // The four that differ in rank and tokens were asked in one pass; a base of its own, a head that drops padding and rows of another length were not.
        foreach (var (name, stage) in evaluations.Where(pair => pair.Key != "refused"))
            Assert.Equal(name.StartsWith("evaluation@", StringComparison.Ordinal) ? 4 : 1, (int)stage.Metrics!["sharedEvaluations"]!);
        Assert.All(alone.Stages.Where(stage => stage.Instance.Kind is EvaluateStage), stage => Assert.Null(stage.Metrics?["sharedEvaluations"]));
    }

    [Fact]
    public void Evaluations_of_the_same_rows_on_a_CPU_are_alike()
    {
        var cpu = new ComputeSettings("cpu", "cpu-avx2", 1, "fp32", false, "2.10");
        var like = new EvaluateStage().Likeness(new(), cpu)!;
        Assert.Equal(["model", "clean", "tokens"], like.Inputs);
        Assert.NotEqual(like.Text, new EvaluateStage().Likeness(new() { BatchSize = 64 }, cpu)!.Text);
        Assert.NotEqual(like.Text, new EvaluateStage().Likeness(new() { Split = "train" }, cpu)!.Text);
        Assert.Null(new EvaluateStage().Likeness(new(), cpu with { Device = "cuda" }));
    }

    private Task<RunResult> RunAsync(string store, int together) => TogetherRun.Async(
        _folder, Yaml, store, ["tuned", "whole", "masked", "short"], new RunOptions { Jobs = 1, Together = together, KeepGoing = true });
}
