using Ssti.Corpus.Tests;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Tests;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>A training that was interrupted ends with the bytes of one that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    private static readonly TokenizedRows Rows = Toy.Tokens(23);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<TrainedPart, OptimizerKind, bool> Kinds() => new()
    {
        { TrainedPart.Adapter, OptimizerKind.Adafactor, false },
        { TrainedPart.Adapter, OptimizerKind.AdamW, false },
        { TrainedPart.Adapter, OptimizerKind.Adafactor, true },
        { TrainedPart.Adapter, OptimizerKind.AdamW, true },
        { TrainedPart.Head, OptimizerKind.Adafactor, false },
        { TrainedPart.Head, OptimizerKind.AdamW, false },
        { TrainedPart.Everything, OptimizerKind.Adafactor, false },
        { TrainedPart.Everything, OptimizerKind.AdamW, true },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Interrupted_after_any_update_it_ends_with_the_same_bytes(TrainedPart part, OptimizerKind optimizer, bool head)
    {
        var settings = Toy.Settings with { Train = part, Optimizer = optimizer, TrainHead = head, MicroBatchSize = 3 };
        var expected = Tuned.By(settings, Rows);
        foreach (var politely in new[] { true, false })
        {
            for (var after = 1; after < settings.Steps; after++)
            {
                var folder = Directory.CreateDirectory(_folder[$"{after}-{politely}"]).FullName;
                Interruption.Of(after, politely, (progress, token) => Tuned.By(settings, Rows, folder, progress, token));
                var told = new List<string>();
                Tuned.Same(expected, Tuned.By(settings, Rows, folder, tell: told.Add));
                // A kill leaves the last of the regular checkpoints, every second update.
                var from = politely ? after : after / 2 * 2;
                if (from == 0) Assert.Empty(told);
                else Assert.StartsWith($"going on from update {from},", Assert.Single(told));
            }
        }
    }

    [Fact]
    public void Checkpoints_that_are_written_beside_the_updates_are_those_that_are_waited_for()
    {
        var expected = Tuned.By(Toy.Settings, Rows);
        for (var after = 1; after < Toy.Settings.Steps; after++)
        {
            foreach (var politely in new[] { true, false })
            {
                string[] folders = [.. new[] { false, true }
                    .Select(beside => Directory.CreateDirectory(_folder[$"{after}-{politely}-{beside}"]).FullName)];
                foreach (var (beside, folder) in folders.Index())
                    {
                    Interruption.Of(after, politely, (progress, token) =>
                        Tuned.By(Toy.Settings, Rows, folder, progress, token, beside: beside == 1));
                }

                var paths = folders.Select(folder => Path.Combine(folder, Checkpoint.FileName)).ToArray();
                Assert.Equal(File.Exists(paths[0]), File.Exists(paths[1]));
                if (File.Exists(paths[0])) Assert.Equal(File.ReadAllBytes(paths[0]), File.ReadAllBytes(paths[1]));
                Tuned.Same(expected, Tuned.By(Toy.Settings, Rows, folders[1], beside: true));
                // Nothing is written any more once the training is over.
                Assert.DoesNotContain(Directory.GetFiles(folders[1]), file => file.EndsWith(".part", StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_checkpoint_that_cannot_be_written_ends_the_training(bool beside)
    {
        Directory.CreateDirectory(Path.Combine(_folder[Checkpoint.FileName], "in the way"));
        var error = Assert.ThrowsAny<Exception>(() => Tuned.By(Toy.Settings, Rows, _folder.Root, beside: beside));
        Assert.True(error is IOException or UnauthorizedAccessException, $"{error}");
    }

    [Fact]
    public void A_training_may_be_interrupted_again_and_again()
    {
        var expected = Tuned.By(Toy.Settings, Rows);
        for (var after = 1; after < Toy.Settings.Steps; after++)
            Interruption.Of(after, politely: true, (progress, token) => Tuned.By(Toy.Settings, Rows, _folder.Root, progress, token));
        Tuned.Same(expected, Tuned.By(Toy.Settings, Rows, _folder.Root));
    }

    [Fact]
    public void DoRA_goes_on_too()
    {
        var settings = Toy.Settings with { Lora = Toy.Settings.Lora with { UseDora = true } };
        var expected = Tuned.By(settings, Rows);
        Interruption.Of(3, politely: false, (progress, token) => Tuned.By(settings, Rows, _folder.Root, progress, token));
        Tuned.Same(expected, Tuned.By(settings, Rows, _folder.Root));
    }

    [Fact]
    public void A_checkpoint_cut_or_changed_anywhere_is_thrown_away_as_a_whole()
    {
        var settings = Toy.Settings with { TrainHead = true };
        var expected = Tuned.By(settings, Rows);
        Interruption.Of(5, politely: false, (progress, token) => Tuned.By(settings, Rows, _folder.Root, progress, token));
        var path = _folder[Checkpoint.FileName];
        var whole = File.ReadAllBytes(path);
        List<byte[]> damages = [[], whole[..7], whole[..(whole.Length / 2)], whole[..^1], [.. whole, 0]];
        // A bit in the header, in the log, in the first tensor and in the last.
        foreach (var at in new[] { 3, 60, 400, (int)BitConverter.ToInt64(whole) + 9, whole.Length - 1 }) damages.Add(Flipped(whole, at));
        foreach (var damaged in damages)
        {
            File.WriteAllBytes(path, damaged);
            var told = new List<string>();
            Tuned.Same(expected, Tuned.By(settings, Rows, _folder.Root, tell: told.Add));
            Assert.StartsWith("the checkpoint is damaged (", told[0]);
            Assert.EndsWith("starting from update 0", told[0]);
        }

        File.WriteAllBytes(path, whole);
        var well = new List<string>();
        Tuned.Same(expected, Tuned.By(settings, Rows, _folder.Root, tell: well.Add));
        Assert.StartsWith("going on from update 4", Assert.Single(well));
    }

    [Fact]
    public void A_checkpoint_half_written_beside_its_place_does_no_harm()
    {
        var expected = Tuned.By(Toy.Settings, Rows);
        Interruption.Of(3, politely: false, (progress, token) => Tuned.By(Toy.Settings, Rows, _folder.Root, progress, token));
        _folder.Write($"{Checkpoint.FileName}.0123456789abcdef.part", "half");
        Tuned.Same(expected, Tuned.By(Toy.Settings, Rows, _folder.Root));
    }

    public static TheoryData<string> Others() => ["seed", "rate", "rows", "optimizer", "rank", "steps"];

    [Theory]
    [MemberData(nameof(Others))]
    public void A_checkpoint_of_another_training_is_refused(string what)
    {
        Interruption.Of(3, politely: false, (progress, token) => Tuned.By(Toy.Settings, Rows, _folder.Root, progress, token));
        var other = what switch
        {
            "seed" => Toy.Settings with { Seed = 41 },
            "rate" => Toy.Settings with { LearningRate = 2e-2 },
            "optimizer" => Toy.Settings with { Optimizer = OptimizerKind.AdamW },
            "rank" => Toy.Settings with { Lora = Toy.Settings.Lora with { Rank = 2 } },
            "steps" => Toy.Settings with { Steps = 8 },
            _ => Toy.Settings,
        };
        var error = Assert.Throws<TrainingException>(() => Tuned.By(other, what == "rows" ? Toy.Tokens(24) : Rows, _folder.Root));
        Assert.Contains("of a training with other settings or rows", error.Message);
        Assert.Contains(_folder.Root, error.Message);
    }

    [Fact]
    public void How_often_checkpoints_are_made_changes_nothing()
    {
        var expected = Tuned.By(Toy.Settings, Rows);
        Tuned.Same(expected, Tuned.By(Toy.Settings with { CheckpointEvery = 1 }, Rows, _folder.Root));
        Tuned.Same(expected, Tuned.By(Toy.Settings with { CheckpointEvery = 0 }, Rows, Path.Combine(_folder.Root, "none")));
        Assert.False(Directory.Exists(Path.Combine(_folder.Root, "none")));
    }

    [SkippableFact]
    public void The_real_backbone_goes_on_to_the_same_bytes()
    {
        var folder = SharedData.Path("models/bert-xs-imdb");
        var tokenizer = WordPieceTokenizer.Load(Path.Combine(folder, "vocab.txt"));
        var rows = TokenizedRows.Of(
            Enumerable.Range(0, 12).Select(i => new Corpus.Datasets.Row($"{i}", i % 2 == 0 ? "a wonderful film , and so well acted" : "the worst two hours of my life", i % 2)),
            tokenizer, 16, 2, CancellationToken.None);
        var settings = new FineTuningSettings
        {
            Lora = new LoraConfig(8, 8, 0.05, ["dense"]), Classes = 2, Steps = 4, BatchSize = 4, WarmUpShare = 0, LearningRate = 1e-3, Seed = 40, CheckpointEvery = 1,
        };
        var expected = Train(null, null, CancellationToken.None);
        Interruption.Of(3, politely: false, (progress, token) => Train(_folder.Root, progress, token));
        Tuned.Same(expected, Train(_folder.Root, null, CancellationToken.None));

        Tuned Train(string? scratch, Action<StepRecord>? progress, CancellationToken cancellation)
        {
            using var scope = NewDisposeScope();
            using var weights = ModelWeights.Read(folder);
            using var tuner = new FineTuner(BertConfig.Read(Path.Combine(folder, "config.json")), weights.Tensors, settings, Toy.Target);
            return Tuned.Of(tuner, tuner.Run(rows, scratch, progress, cancellation));
        }
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        var flipped = (byte[])bytes.Clone();
        flipped[at] ^= 1;
        return flipped;
    }
}
