using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Nets.Models;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

public sealed class FineTunerTests
{
    private static readonly TokenizedRows Rows = Toy.Tokens(23);

    [Theory]
    [InlineData(TrainedPart.Adapter, OptimizerKind.Adafactor)]
    [InlineData(TrainedPart.Adapter, OptimizerKind.AdamW)]
    [InlineData(TrainedPart.Head, OptimizerKind.Adafactor)]
    [InlineData(TrainedPart.Everything, OptimizerKind.AdamW)]
    public void Equal_settings_give_equal_bytes_and_another_seed_others(TrainedPart part, OptimizerKind optimizer)
    {
        var settings = Toy.Settings with { Train = part, Optimizer = optimizer };
        var first = Tuned.By(settings, Rows);
        Tuned.Same(first, Tuned.By(settings, Rows));
        var other = Tuned.By(settings with { Seed = 41 }, Rows);
        Assert.NotEqual(first.Steps, other.Steps);
        Assert.NotEqual(first.Head, other.Head);
    }

    [Theory]
    [InlineData(TrainedPart.Adapter)]
    [InlineData(TrainedPart.Everything)]
    public void Passes_of_unequal_size_give_the_losses_and_gradients_of_one(TrainedPart part)
    {
        // 10 rows in passes of 10, of 4, 4 and 2, and of one each: a mean of unequal means would show at once.
        var settings = Toy.Settings with { Train = part, Dropouts = false, BatchSize = 10, TrainHead = true };
        var one = Tuned.By(settings, Rows);
        foreach (var size in new[] { 4, 1 })
        {
            var several = Tuned.By(settings with { MicroBatchSize = size }, Rows);
            foreach (var (expected, actual) in Records(one).Zip(Records(several)))
            {
                Near((double)expected["loss"]!, (double)actual["loss"]!, 1e-4);
                Near((double)expected["gradientNorm"]!, (double)actual["gradientNorm"]!, 1e-3);
                Assert.Equal((double)expected["learningRate"]!, (double)actual["learningRate"]!);
            }

            Close(one.Head, several.Head);
            Close(one.Adapter, several.Adapter);
            Close(one.Encoder, several.Encoder);
        }
    }

    [Theory]
    [InlineData(TrainedPart.Adapter, false, true, false)]
    [InlineData(TrainedPart.Adapter, true, true, true)]
    [InlineData(TrainedPart.Head, false, false, true)]
    [InlineData(TrainedPart.Everything, false, false, false)]
    public void Only_what_is_trained_moves(TrainedPart part, bool trainHead, bool adapterMoves, bool headMoves)
    {
        using var scope = NewDisposeScope();
        var base1 = Toy.Encoder();
        var before = Toy.Bytes(base1);
        using var tuner = new FineTuner(Toy.Config, base1, Toy.Settings with { Train = part, TrainHead = trainHead }, Toy.Target);
        var untouched = Tuned.Of(tuner, "");
        var trained = Tuned.Of(tuner, tuner.Run(Rows, null, null, CancellationToken.None));

        Assert.Equal(headMoves, !Equal(untouched.Head, trained.Head));
        Assert.Equal(adapterMoves, untouched.Adapter.Count > 0 && !Equal(untouched.Adapter, trained.Adapter));
        Assert.Equal(part == TrainedPart.Everything, trained.Encoder.Count > 0 && !Equal(before, trained.Encoder));
        Assert.Equal(before, Toy.Bytes(base1));
    }

    [Fact]
    public void The_base_under_an_adapter_is_the_one_that_was_given()
    {
        // The last update's loss, worked out anew from the given weights, the head and the adapter as they were before it.
        using var scope = NewDisposeScope();
        var settings = Toy.Settings with { Dropouts = false };
        var expected = (double)Records(Tuned.By(settings, Rows))[^1]["loss"]!;
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), settings, Toy.Target);
        Interruption.Of(settings.Steps - 1, politely: true, (progress, token) => tuner.Run(Rows, null, progress, token));

        using var trunk = new BertTrunk(Toy.Config, Weights.Encoder(Toy.Config, Toy.Encoder(), CPU, ScalarType.Float32));
        var picked = new int[settings.BatchSize];
        new RowOrder(Rows.Count, settings.Seed).Fill((settings.Steps - 1) * (long)settings.BatchSize, picked);
        var batch = Rows.Batch(picked, CPU);
        var loss = nn.functional.cross_entropy(new SequenceClassifier(trunk, tuner.Adapter, tuner.Head).Forward(batch.Ids, batch.Mask), batch.Labels);
        Near(expected, loss.item<float>(), 1e-5);
    }

    [Fact]
    public void Dropouts_are_on_in_training_unless_they_are_turned_off()
    {
        var with = Records(Tuned.By(Toy.Settings, Rows));
        var without = Records(Tuned.By(Toy.Settings with { Dropouts = false }, Rows));
        Assert.NotEqual((double)with[0]["loss"]!, (double)without[0]["loss"]!);
    }

    [Fact]
    public void It_learns_what_tells_the_classes_apart()
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Toy.Settings with { Steps = 80, BatchSize = 16, TrainHead = true }, Toy.Target);
        tuner.Run(Rows, null, null, CancellationToken.None);
        using var trunk = new BertTrunk(Toy.Config, Weights.Encoder(Toy.Config, Toy.Encoder(), CPU, ScalarType.Float32));
        var logits = Predictor.Logits(new SequenceClassifier(trunk, tuner.Adapter, tuner.Head), Rows, 8, null, CancellationToken.None);
        var right = logits.Zip(Rows.Labels).Count(pair => (pair.First[1] > pair.First[0] ? 1 : 0) == pair.Second);
        Assert.True(right >= 21, $"{right} of 23 training rows are classified");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    public void A_label_the_head_has_no_class_for_is_refused_before_anything_is_trained(int label)
    {
        var rows = TokenizedRows.Of([.. Toy.Rows(5), new Row("x", "w1", label)], Toy.Tokenizer, Toy.Length, 1, CancellationToken.None);
        var error = Assert.Throws<TrainingException>(() => Tuned.By(Toy.Settings, rows, progress: _ => Assert.Fail("an update was made")));
        Assert.Contains($"label {label}, and the head has 2 classes", error.Message);
    }

    [Fact]
    public void A_loss_that_is_no_number_ends_the_training_and_leaves_no_checkpoint_of_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var weights = Toy.Encoder();
        weights["encoder.layer.1.output.LayerNorm.bias"].fill_(float.NaN);
        using var tuner = new FineTuner(Toy.Config, weights, Toy.Settings, Toy.Target);
        var error = Assert.Throws<TrainingException>(() => tuner.Run(Rows, folder.Root, null, CancellationToken.None));
        Assert.Contains("the loss of update 1 is NaN", error.Message);
        Assert.Contains("lower learning-rate", error.Message);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void What_the_last_update_breaks_is_seen_in_the_weights()
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Toy.Settings with { Steps = 1, WarmUpShare = 0 }, Toy.Target);
        // The loss of the only update is a number; what comes of it here is none.
        var error = Assert.Throws<TrainingException>(() => tuner.Run(Rows, null, _ => tuner.Adapter!.Parameters.Masters[0].detach().fill_(float.NaN), CancellationToken.None));
        Assert.Contains("the last update left weights that are no finite numbers", error.Message);
    }

    [Fact]
    public void A_gradient_that_is_no_number_ends_the_training_too()
    {
        using var scope = NewDisposeScope();
        using var log = new StepLog();
        var error = Assert.Throws<TrainingException>(() =>
        {
            log.Add(7, tensor(0.5f), tensor(float.PositiveInfinity), 1e-3);
            log.Lines();
        });
        Assert.Contains("the loss of update 7 is 0.5 and its gradient norm", error.Message);
    }

    [Theory]
    [InlineData(TrainedPart.Adapter)]
    [InlineData(TrainedPart.Everything)]
    public void No_tensor_is_left_behind(TrainedPart part)
    {
        using var folder = new TempFolder();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var counts = new List<long>();
        using (var scope = NewDisposeScope())
        {
            using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Toy.Settings with { Train = part, Steps = 64, MicroBatchSize = 2 }, Toy.Target);
            tuner.Run(Rows, folder.Root, _ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount), CancellationToken.None);
        }

        Flat.Assert(counts);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Every_update_is_recorded_with_loss_norm_and_rate()
    {
        var seen = new List<StepRecord>();
        var records = Records(Tuned.By(Toy.Settings with { Steps = 20, WarmUpShare = 0.25 }, Rows, progress: seen.Add));
        Assert.Equal(Enumerable.Range(1, 20), records.Select(record => (int)record["step"]!));
        Assert.Equal(Enumerable.Range(1, 20), seen.Select(record => record.Step));
        Assert.All(records, record => Assert.True((double)record["loss"]! > 0 && (double)record["gradientNorm"]! > 0));
        Assert.Equal([0, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2], records.Take(6).Select(record => Math.Round((double)record["learningRate"]!, 12)));
        Assert.All(seen, record => Assert.NotEqual(0, record.Loss));
    }

    [Theory]
    [InlineData("gpu", "fp32", "unknown device 'gpu'; use cpu or cuda")]
    [InlineData("cpu", "fp16", "unknown dtype 'fp16'; use fp32 or bf16")]
    public void A_device_or_precision_nobody_knows_is_named(string device, string dtype, string message) =>
        Assert.Equal(message, Assert.Throws<TrainingException>(() => TrainingTarget.Parse(device, dtype)).Message);

    private static JsonNode[] Records(Tuned tuned) => [.. tuned.Steps.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!)];

    private static void Near(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * Math.Abs(expected), $"{actual}, and {expected} is expected");

    private static bool Equal(SortedDictionary<string, byte[]> a, SortedDictionary<string, byte[]> b) => a.All(pair => pair.Value.AsSpan().SequenceEqual(b[pair.Key]));

    private static void Close(SortedDictionary<string, byte[]> expected, SortedDictionary<string, byte[]> actual)
    {
        // A bias of the keys moves every score of a query alike and so changes nothing: its gradient is rounding noise, which Adafactor scales up.
        foreach (var (name, bytes) in expected.Where(pair => !pair.Key.EndsWith("key.bias", StringComparison.Ordinal)))
        {
            var (a, b) = (Floats(bytes), Floats(actual[name]));
            var distance = Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
            Assert.True(distance <= 2e-2 * (Math.Sqrt(a.Sum(x => x * x)) + 1e-2), $"{name} is {distance} off");
        }

        static double[] Floats(byte[] bytes) => [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(x => (double)x)];
    }
}
