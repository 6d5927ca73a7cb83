using System.Globalization;
using System.Runtime.InteropServices;
using Ssti.Corpus.Tests;
using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>What a training on every family must pass.</summary>
[Collection(AloneCollection.Name)]
public sealed class FamilyTrainingTests : IDisposable
{
    private static readonly TokenizedRows Rows = Toy.Tokens(23);

    private readonly TempFolder _folder = new();

    public static TheoryData<string> Families => ["bert", "distilbert", "llama", "openelm"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void A_training_that_goes_on_from_a_checkpoint_ends_with_the_same_bytes(string family)
    {
        foreach (var settings in new[]
        {
            Settings(family), Settings(family) with { Train = TrainedPart.Everything, TrainHead = true },
            Settings(family) with
            {
                Lora = Lora with
                {
                    UseDora = true, ModulesToSave = [Words(family)], RankPattern = [new(@"1\..*", 1)], Start = LoraStart.Gaussian, RankStabilized = true,
                },
            },
        })
        {
            var expected = Train(family, settings);
            for (var after = 1; after < settings.Steps; after += 2)
            {
                var folder = Directory.CreateDirectory(_folder[Guid.NewGuid().ToString("n")]).FullName;
                Interruption.Of(after, politely: true, (progress, token) => Train(family, settings, folder, progress, token));
                Tuned.Same(expected, Train(family, settings, folder));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_training_learns_what_tells_the_classes_apart(string family)
    {
        using var scope = NewDisposeScope();
        using var tuner = Tuner(family, Settings(family) with { Steps = 80, BatchSize = 16, TrainHead = true, LearningRate = 2e-2 });
        tuner.Run(Rows, null, null, CancellationToken.None);
        using var trunk = Config(family).Build(Weights.Encoder(Config(family), Tensors(family), CPU, ScalarType.Float32));
        var logits = Predictor.Logits(new SequenceClassifier(trunk, tuner.Adapter, tuner.Head), Rows, 8, null, CancellationToken.None);

        Assert.True(logits.Zip(Rows.Labels).Count(pair => (pair.First[1] > pair.First[0] ? 1 : 0) == pair.Second) >= 21);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void No_tensor_is_left_behind_in_a_thousand_updates(string family)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var counts = new List<long>();
        using (var scope = NewDisposeScope())
        {
            // Tensors trained whole have a trunk of their own made for every pass.
            using var tuner = Tuner(family, Settings(family) with { Steps = 1000, BatchSize = 2, Lora = Lora with { ModulesToSave = [Words(family)] } });
            tuner.Run(Rows, _folder.Root, _ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount), CancellationToken.None);
        }

        Assert.Equal(1000, counts.Count);
        Flat.Assert(counts);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [SkippableTheory]
    [MemberData(nameof(Families))]
    public void Memory_stays_flat_over_fifty_runs_in_one_process(string family)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs Linux's /proc/self/status");
        // Large enough that a copy left behind by a run shows: 2 MB and more.
        var config = Larger(family);
        var folder = _folder["model"];
        Directory.CreateDirectory(folder);
        using (var scope = NewDisposeScope())
        {
            using var random = new RandomStream(1, CPU);
            SafetensorsFile.Write(Path.Combine(folder, ModelWeights.Whole), Weights.Initial(config.Tensors(), random));
        }

        var bytes = new FileInfo(Path.Combine(folder, ModelWeights.Whole)).Length;
        Assert.True(bytes > 2_000_000);
        var resident = new List<long>();
        for (var run = 0; run < 50; run++)
        {
            using (var scope = NewDisposeScope())
            {
                using var tuner = new FineTuner(config, ModelWeights.Open(folder), Settings(family) with { Steps = 2, BatchSize = 2 }, Toy.Target);
                tuner.Run(Rows, null, null, CancellationToken.None);
                using var trunk = config.Build(Weights.Encoder(config, ModelWeights.Open(folder), CPU, ScalarType.Float32));
                Predictor.Logits(new SequenceClassifier(trunk, tuner.Adapter, tuner.Head), Rows, 8, null, CancellationToken.None);
            }

            resident.Add(Resident());
        }

        // 40 runs that left one copy of the model each would show 40 of them; other tests of this process come and go beside.
        Assert.True(resident[^1] - resident[9] < 20 * bytes, $"{resident[9]} bytes after 10 runs, {resident[^1]} after 50; the model has {bytes}");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void What_does_not_fit_is_refused_before_the_first_update(string family)
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors(family);
        var words = Config(family).Tensors().First().Name;
        string Refusal(IReadOnlyDictionary<string, Tensor> given, FineTuningSettings settings) =>
            Assert.Throws<ModelException>(() => new FineTuner(Config(family), given, settings, Toy.Target)).Message;

        Assert.Contains($"wrong shape: {words}", Refusal(new Dictionary<string, Tensor>(tensors) { [words] = zeros(49, 16) }, Settings(family)));
        Assert.Contains($"missing: {words}", Refusal(tensors.Where(pair => pair.Key != words).ToDictionary(), Settings(family)));
        Assert.Contains("no linear of the model ends with 'nothing'", Refusal(tensors, Settings(family) with { Lora = Lora with { TargetModules = ["nothing"] } }));
        Assert.Contains("'nowhere'", Refusal(tensors, Settings(family) with { Lora = Lora with { ModulesToSave = ["nowhere"] } }));
        Assert.Contains("head's 'head.weight' is [3, 32]", Assert.Throws<ModelException>(() => ClassifierHead.Load(
            new Dictionary<string, Tensor> { [ClassifierHead.WeightName] = zeros(3, 32), [ClassifierHead.BiasName] = zeros(3) }, 16, 2, CPU)).Message);
        using var tuner = Tuner(family, Settings(family) with { Classes = 3 });
        var first = -1;
        var rows = Toy.Tokens(8, classes: 4);
        var error = Assert.Throws<TrainingException>(() => tuner.Run(rows, null, record => first = record.Step, CancellationToken.None));
        Assert.Contains("label 3, and the head has 3", error.Message);
        Assert.Equal(-1, first);
    }

    private static LoraConfig Lora { get; } = new(2, 4, 0.05, ["all-linear"]);

    private static FineTuningSettings Settings(string family) => Toy.Settings with { Lora = Lora, MicroBatchSize = family == "bert" ? 2 : 0 };

    private static TrunkConfig Config(string family) => family switch
    {
        "bert" => Toy.Config,
        "distilbert" => new DistilBertConfig(50, 16, 2, 4, 32, Toy.Length),
        "llama" => new LlamaConfig(50, 16, 2, 4, 2, 4, 24, Toy.Length, new RopeSettings(10000), AttentionDropout: 0.1),
        _ => new OpenElmConfig(50, 16, 2, [0.5, 1], [0.5, 2], Groups: 2, HeadWidth: 4, MaxPositions: Toy.Length, FfnDivisor: 8),
    };

    private static TrunkConfig Larger(string family) => family switch
    {
        "bert" => new BertConfig(50, 128, 3, 4, 512, Toy.Length),
        "distilbert" => new DistilBertConfig(50, 128, 3, 4, 512, Toy.Length),
        "llama" => new LlamaConfig(50, 128, 3, 4, 2, 32, 512, Toy.Length, new RopeSettings(10000)),
        _ => new OpenElmConfig(50, 128, 3, [0.5, 1], [4], Groups: 2, HeadWidth: 16, MaxPositions: Toy.Length, FfnDivisor: 8),
    };

    private static string Words(string family) => Config(family).Tensors().First().Name.Split('.')[^2];

    private static IReadOnlyDictionary<string, Tensor> Tensors(string family)
    {
        using var random = new RandomStream(1, CPU);
        return Weights.Initial(Config(family).Tensors(), random, 0.2);
    }

    private static FineTuner Tuner(string family, FineTuningSettings settings) => new(Config(family), Tensors(family), settings, Toy.Target);

    private static Tuned Train(string family, FineTuningSettings settings, string? folder = null, Action<StepRecord>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var tuner = Tuner(family, settings);
        return Tuned.Of(tuner, tuner.Run(Rows, folder, progress, cancellation));
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Trim(0);
        return 1024 * long.Parse(
            File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);
    }

    [DllImport("libc", EntryPoint = "malloc_trim")]
    private static extern int Trim(nint padding);
}
