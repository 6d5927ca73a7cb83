using System.Collections.Concurrent;
using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Tests.Fused;
using Ssti.Training.Banks;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>Trainings side by side in a bank, each on a thread of its own, on an encoder wide enough for MKL to treat its rows alike.</summary>
internal static class Bank
{
    public const int Length = 16;

    public static readonly BertConfig Config = new(VocabSize: 50, HiddenSize: 128, Layers: 2, Heads: 4, IntermediateSize: 256, MaxPositions: Length);

    /// <summary>Ten updates of 16 rows, 256 tokens.</summary>
    public static readonly FineTuningSettings Settings = new()
    {
        Lora = new LoraConfig(4, 4, 0.05, ["dense"]), Classes = 2, Steps = 10, BatchSize = 16, LearningRate = 1e-2, Seed = 40, CheckpointEvery = 3,
    };

    /// <summary>Another training of everything that a training has of its own: rank, scale, seed, rate, bound, optimiser, rows, updates and classes' weights.</summary>
    public static IReadOnlyList<Member> Unlike { get; } =
    [
        new(Settings, Rows(31, 0)),
        new(Settings with { Lora = Settings.Lora with { Rank = 8, Alpha = 20 }, Seed = 41, LearningRate = 3e-2, GradientNormBound = 0.05 }, Rows(23, 1)),
        new(Settings with { Lora = Settings.Lora with { Rank = 1, Alpha = 3 }, Seed = 7, Optimizer = OptimizerKind.AdamW, Steps = 7, WarmUpShare = 0.4 }, Rows(31, 2)),
        new(Settings with { Lora = Settings.Lora with { RankPattern = [new("output.dense", 6)] }, TrainHead = true, ClassWeights = [0.5, 1.5], Seed = 8 }, Rows(16, 0)),
    ];

    public static TokenizedRows Rows(int count, int from) =>
        TokenizedRows.Of(Toy.Rows(count + from).Skip(from), Toy.Tokenizer, Length, 1, CancellationToken.None);

    public static IReadOnlyDictionary<string, Tensor> Encoder()
    {
        using var random = new RandomStream(1, CPU);
        return Weights.Initial(Config.Tensors(), random, 0.2);
    }

    public static Tuned Alone(Member member)
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(member.Config, Encoder(), member.Settings, Toy.Target) { WrittenOut = member.WrittenOut };
        return Tuned.Of(tuner, tuner.Run(member.Rows, null, null, CancellationToken.None, member.Validation));
    }

    /// <summary>Trains them all; what one throws is in its place.</summary>
    public static IReadOnlyList<Ended> Together(TrainingBank bank, IReadOnlyList<Member> members)
    {
        var ended = new Ended[members.Count];
        var threads = members.Select((member, number) => new Thread(() => ended[number] = Train(bank, number, member))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) Assert.True(thread.Join(TimeSpan.FromMinutes(2)), "a training waits for ever");
        return ended;
    }

    private static Ended Train(TrainingBank bank, int number, Member member)
    {
        var log = new ConcurrentQueue<string>();
        var joined = 0L;
        try
        {
            if (member.IsAbsent)
            {
                bank.Leave(number);
                return new Ended(null, null, [], 0);
            }

            Ssti.Nets.Native.LibTorch.UseThreads(1);
            using var scope = NewDisposeScope();
            using var seat = bank.Take(number, log.Enqueue, member.Cancellation);
            try
            {
                using var tuner = new FineTuner(
                    member.Config, Weights.InMemory(Encoder()), member.Settings, Toy.Target, seat) { Log = log.Enqueue,
                    WrittenOut = member.WrittenOut };
                return new Ended(
                    Tuned.Of(tuner, tuner.Run(member.Rows, member.Folder, member.Progress, member.Cancellation, member.Validation)), null,
                    [.. log], seat.JoinedPasses);
            }
            finally
            {
                joined = seat.JoinedPasses;
            }
        }
        catch (Exception e)
        {
            return new Ended(null, e, [.. log], joined);
        }
    }

    /// <summary>One training of a bank.</summary>
    internal sealed record Member(FineTuningSettings Settings, TokenizedRows Rows)
    {
        public TokenizedRows? Validation { get; init; }

        public string? Folder { get; init; }

        public Action<StepRecord>? Progress { get; init; }

        public CancellationToken Cancellation { get; init; }

        public bool IsAbsent { get; init; }

        /// <summary>Whether its passes are written out, over plain kernels: as on a GPU, but for what computes them, and for attention's dropout.</summary>
        public bool IsWrittenOut { get; init; }

        public BertConfig Config => IsWrittenOut ? Bank.Config with { AttentionDropout = 0 } : Bank.Config;

        public Func<Trunk, LoraAdapter, FusedEncoder?> WrittenOut =>
            IsWrittenOut ? static (trunk, adapter) => new FusedEncoder((BertTrunk)trunk, [adapter], new PlainKernels()) : FusedEncoder.For;
    }

    /// <summary>How it ended.</summary>
    internal sealed record Ended(Tuned? Result, Exception? Error, IReadOnlyList<string> Log, long Joined);
}
