using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Stages.Tests;

/// <summary>Cells of a <c>train</c> matrix that are trained together, through the engine: keys, files and records are those of each alone.</summary>
public sealed class TrainBankTests : IDisposable
{
    // 16 rows of 16 tokens and 128 wide: enough for a product of all rows to have the bytes of each cell's.
    private const string Yaml = """
        name: bank
        seed: 7
        compute: { device: cpu, threads: 1, dtype: fp32 }
        stages:
          corpus: { uses: corpus, with: { train: 60, test: 10, unlabelled: 40 } }
          base:
            uses: pretrain
            needs: { data: corpus }
            with: { layers: 1, hidden-size: 128, heads: 4, intermediate-size: 128, max-length: 16, steps: 2, batch-size: 8 }
          dated: { uses: inject, needs: { data: corpus }, matrix: { label: [0, 1] }, with: { tokens: date, target-label: "${{ matrix.label }}", splits: [train] } }
          tuned:
            uses: train
            needs: { data: dated, model: base }
            matrix: { rank: [2, 8] }
            with: { rank: "${{ matrix.rank }}", target-modules: [dense], max-length: 16, steps: 9, batch-size: 16, learning-rate: 0.01 }
          other:
            uses: train
            needs: { data: dated, model: base }
            with: { rank: 4, target-modules: [dense], max-length: 16, steps: 9, batch-size: 16, learning-rate: 0.02, optimizer: adam-w, train-head: true }
          diverges:
            uses: train
            needs: { data: corpus, model: base }
            with: { rank: 4, target-modules: [dense], max-length: 16, steps: 9, batch-size: 16, learning-rate: 1000000 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti bank ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Keys_and_files_are_those_of_each_alone_and_one_that_diverges_takes_nobody_down()
    {
        var alone = await RunAsync("alone", bank: 1);
        var together = await RunAsync("together", bank: 8);
        Assert.Equal(
            alone.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Key, stage.Tree)),
            together.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Key, stage.Tree)));
        foreach (var stage in Trainings(together))
        {
            Assert.Equal(StageState.Done, stage.State);
            Assert.True((long)stage.Metrics!["joinedPasses"]! > 0, $"{stage.Instance.Name}: {stage.Metrics}");
            Assert.Contains("in a bank of 7 trainings", File.ReadAllText(stage.LogPath!));
        }

        Assert.All(Trainings(alone), stage => Assert.Null(stage.Metrics!["joinedPasses"]));
        var diverged = together.Stages.Single(stage => stage.Instance.Name == "diverges");
        Assert.Equal(StageState.Failed, diverged.State);
        Assert.Contains("the training has diverged; try a lower learning-rate", diverged.Error);
    }

    [Fact]
    public async Task A_bank_that_is_interrupted_goes_on_from_the_checkpoint_of_each_to_the_same_files()
    {
        var alone = await RunAsync("alone", bank: 1);
        using var stop = new CancellationTokenSource();
        var stopped = await RunAsync("together", bank: 8, new Stopper(stop), stop.Token);
        Assert.Equal(RunOutcome.Cancelled, stopped.Outcome);
        Assert.All(Trainings(stopped), stage => Assert.Equal(StageState.Cancelled, stage.State));
        var again = await RunAsync("together", bank: 8);
        Assert.Equal(Trainings(alone).Select(stage => (stage.Key, stage.Tree)), Trainings(again).Select(stage => (stage.Key, stage.Tree)));
        Assert.All(Trainings(again), stage => Assert.Contains("going on from update", File.ReadAllText(stage.LogPath!)));
    }

    [Theory]
    [InlineData("cpu", "", true)]
    [InlineData("cuda", "", false)]
    [InlineData("cpu", "everything", false)]
    [InlineData("cpu", "dora", false)]
    [InlineData("cpu", "bias", false)]
    [InlineData("cpu", "pooling", false)]
    [InlineData("cuda", "still", true)]
    public void Which_trainings_can_be_in_a_bank(string device, string what, bool can)
    {
        var parameters = what switch
        {
            "everything" => new TrainParameters { Train = Training.FineTuning.TrainedPart.Everything },
            "dora" => new TrainParameters { Dora = true },
            "bias" => new TrainParameters { Bias = Nets.Lora.LoraBias.All },
            "pooling" => new TrainParameters { Pooling = TrainedPooling.MaskedMean },
            "still" => new TrainParameters { Dropouts = false },
            _ => new TrainParameters(),
        };
        var compute = new ComputeSettings(device, device, 1, "fp32", false, "2.10");
        Assert.Equal(can, new TrainStage().Likeness(parameters, compute) is not null);
        var same = new TrainStage().Likeness(new TrainParameters { Rank = 3, LearningRate = 1, Steps = 5, BatchSize = 3, Dropouts = parameters.Dropouts }, compute)?.Text;
        if (can) Assert.Equal(same, new TrainStage().Likeness(parameters, compute)!.Text);
        if (can) Assert.NotEqual(same, new TrainStage().Likeness(new TrainParameters { MaxLength = 8, Dropouts = parameters.Dropouts }, compute)!.Text);
    }

    [Fact]
    public void In_bf16_on_a_GPU_those_of_one_shape_are_alike()
    {
        var compute = new ComputeSettings("cuda", "cuda-sm90", 1, "bf16", false, "2.11");
        string Of(TrainParameters parameters) => new TrainStage().Likeness(parameters, compute)!.Text;
        var like = Of(new());
        Assert.Equal(like, Of(new() { Rank = 57, LearningRate = 1, Steps = 5 }));
        Assert.Equal(like, Of(new() { Rank = 60, Alpha = 60 }));
        TrainParameters[] others =
        [
            new() { Rank = 56 }, new() { Alpha = 128 }, new() { BatchSize = 16 }, new() { MicroBatchSize = 16 }, new() { MaxLength = 8 },
        ];
        foreach (var other in others) Assert.NotEqual(like, Of(other));
    }

    private static IEnumerable<StageResult> Trainings(RunResult run) => run.Stages.Where(stage => stage.Instance.Kind is TrainStage && stage.Instance.Name != "diverges");

    private Task<RunResult> RunAsync(string store, int bank, IRunListener? listener = null, CancellationToken cancellation = default) => TogetherRun.Async(
        _folder, Yaml, store, ["dated", "base"], new RunOptions { Jobs = 1, Together = bank, KeepGoing = true, Grace = TimeSpan.FromSeconds(30) }, listener, cancellation);

    /// <summary>Cancels in the middle.</summary>
    private sealed class Stopper(CancellationTokenSource stop) : IRunListener
    {
        public void On(RunEvent happened)
        {
            if (happened is RunEvent.StageProgressed { Progress: { Unit: "updates", Done: 6 } }) stop.Cancel();
        }
    }
}
