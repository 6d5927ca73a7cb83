using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Nets.Optimizers;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>Looks at rows that are not trained on: the best state is kept, a training ends when nothing better comes, and it goes on from a checkpoint to the same bytes.</summary>
public sealed class ValidationTests : IDisposable
{
    private static readonly TokenizedRows Rows = Toy.Tokens(23);

    // Every third has the other label: the surer a model is of itself, the more these cost it, so that the loss falls and then rises.
    private static readonly TokenizedRows Held = TokenizedRows.Of(
        Toy.Rows(53).Skip(23).Select((row, i) => i % 3 == 0 ? row with { Label = 1 - row.Label } : row), Toy.Tokenizer, Toy.Length, 2, CancellationToken.None);

    private static readonly FineTuningSettings Settings = Toy.Settings with
    {
        TrainHead = true, LearningRate = 0.05, Steps = 24, CheckpointEvery = 4, Validation = new ValidationSettings(Every: 3, Patience: 0),
    };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // How sure of the right class a model is at each look: best at the third.
    private static readonly float[] Sureness = [0.5f, 1, 2, 1.5f, 1.9f, 1, 2, 2.5f];

    [Fact]
    public void The_state_with_the_lowest_validation_loss_is_what_is_left()
    {
        var (lines, updates, left, seen) = Toying(null, patience: 0, Sureness[..7]);
        Assert.Equal([3, 6, 9, 12, 15, 18, 20], lines.Select(look => (int)look["step"]!));
        Assert.Equal([true, true, true, false, false, false, false], lines.Select(look => (bool)look["best"]!));
        Assert.Equal(Sureness[..7].Select(sure => MathF.Log(1 + MathF.Exp(-sure))), lines.Select(look => (float)look["loss"]!), (a, b) => Math.Abs(a - b) < 1e-5f);
        Assert.All(lines, look => Assert.Equal((1.0, 1.0), ((double)look["accuracy"]!, (double)look["balancedAccuracy"]!)));
        Assert.Equal(20, updates);
        // The third look is the best; the seventh is no better, and the first of two that are alike stays.
        Assert.Equal(seen[2], left);
        Assert.NotEqual(seen[6], left);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 5)]
    [InlineData(4, 7)]
    public void A_training_ends_when_nothing_better_came_for_as_many_looks_as_it_was_told(int patience, int looks)
    {
        var (lines, updates, left, seen) = Toying(null, patience, Sureness);
        Assert.Equal(looks, lines.Count);
        Assert.Equal((int)lines[^1]["step"]!, updates);
        Assert.Equal(seen[2], left);
    }

    [Fact]
    public void A_real_training_is_left_in_its_best_state()
    {
        var (tuned, looks) = Train(Settings);
        Assert.Equal([3, 6, 9, 12, 15, 18, 21, 24], looks.Select(look => (int)look["step"]!));
        var lowest = looks.MinBy(look => (float)look["loss"]!)!;
        Assert.Equal((int)lowest["step"]!, (int)looks.Last(look => (bool)look["best"]!)["step"]!);
        Assert.Equal(24, tuned.Steps.Count(c => c == '\n'));
        // The schedule is that of all updates, so that a run stopped there is the one to compare with.
        Tuned.Same(tuned with { Steps = "" }, StateAt((int)lowest["step"]!));
    }

    [Theory]
    [InlineData(TrainedPart.Adapter)]
    [InlineData(TrainedPart.Head)]
    [InlineData(TrainedPart.Everything)]
    public void Interrupted_after_any_update_it_ends_with_the_same_bytes(TrainedPart part)
    {
        var settings = Settings with { Train = part, Steps = 12, Validation = new ValidationSettings(3, Patience: 2) };
        var (expected, looks) = Train(settings);
        var updates = expected.Steps.Count(c => c == '\n');
        foreach (var politely in new[] { true, false })
        {
            foreach (var after in new[] { 2, 3, 5, 6, 10 }.Where(after => after < updates))
            {
                var folder = Directory.CreateDirectory(_folder[$"{after}-{politely}"]).FullName;
                Interruption.Of(after, politely, (progress, token) => Train(settings, folder, progress, token));
                var (tuned, again) = Train(settings, folder);
                Tuned.Same(expected, tuned);
                Assert.Equal(looks.Select(look => look.ToJsonString()), again.Select(look => look.ToJsonString()));
            }
        }
    }

    [Fact]
    public void Interrupted_in_the_middle_of_a_look_it_looks_again()
    {
        var expected = Toying(null, 2, Sureness);
        for (var look = 0; look < expected.Lines.Count; look++)
        {
            var folder = Directory.CreateDirectory(_folder[$"{look}"]).FullName;
            Assert.ThrowsAny<OperationCanceledException>(() => Toying(folder, 2, Sureness, interrupted: look));
            var again = Toying(folder, 2, Sureness[look..]);
            Assert.Equal(expected.Lines.Select(line => line.ToJsonString()), again.Lines.Select(line => line.ToJsonString()));
            Assert.Equal(expected.Left, again.Left);
        }
    }

    // A training of two numbers, of which each look is told how good it is, and may be cut off.
    private static (List<JsonNode> Lines, int Updates, float[] Left, List<float[]> Seen) Toying(string? folder, int patience, float[] sureness, int interrupted = -1)
    {
        const int Steps = 20;
        using var scope = NewDisposeScope();
        using var bank = new ParameterBank(new Dictionary<string, Tensor> { ["w"] = ones(2) }, CPU);
        using var optimizer = new AdamW(bank, new AdamWOptions());
        var seen = new List<float[]>();
        using var validation = new Validation(new ValidationSettings(3, patience), Steps, Held, null, [bank], _ =>
        {
            if (seen.Count == interrupted) throw new OperationCanceledException();
            var sure = sureness[seen.Count];
            seen.Add(bank.Copy()["w"].data<float>().ToArray());
            return [.. Held.Labels.Select(label => label == 0 ? new[] { sure, 0 } : [0, sure])];
        });
        var loop = new TrainingLoop(Steps, 5, 4, new CosineSchedule(0.1, 0, Steps), new RowOrder(Rows.Count, 1), "toy", null) { Validation = validation };
        var steps = loop.Run([(bank, optimizer)], folder, (_, step, rate, log) =>
        {
            optimizer.Step([tensor(new float[,] { { 1, -1 - (step % 2) } })], rate);
            log.Add(step + 1, ones([]), ones([]), rate);
        }, null, CancellationToken.None);
        return (
            [.. validation.Lines().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)], steps.Count(c => c == '\n'),
            bank.Copy()["w"].data<float>().ToArray(), seen);
    }

    [Fact]
    public void A_checkpoint_of_a_training_that_looked_at_other_rows_is_refused()
    {
        Interruption.Of(5, politely: true, (progress, token) => Train(Settings, _folder.Root, progress, token));
        var others = TokenizedRows.Of(Toy.Rows(54).Skip(24), Toy.Tokenizer, Toy.Length, 2, CancellationToken.None);
        Assert.Throws<TrainingException>(() => Train(Settings, _folder.Root, rows: others));
    }

    [Fact]
    public void Looking_changes_no_update()
    {
        var without = Tuned.By(Settings with { Validation = null }, Rows);
        Assert.Equal(without.Steps, Train(Settings).Tuned.Steps);
    }

    [Fact]
    public void A_weighted_class_counts_in_the_loss_as_often_as_it_weighs()
    {
        // Weights of 1 are none; a class of weight 0 gives no gradient, so that its rows might as well have another text.
        Assert.Equal(Tuned.By(Toy.Settings, Rows).Steps, Tuned.By(Toy.Settings with { ClassWeights = [1, 1] }, Rows).Steps);
        var (light, heavy) = (First([0.5, 1]), First([1, 1]));
        Assert.NotEqual(light, heavy);
        var (only0, only1) = (First([1, 0]), First([0, 1]));
        Assert.Equal(heavy, only0 + only1, 1e-5f);
        Assert.Equal(light, (0.5f * only0) + only1, 1e-5f);

        static float First(double[] weights) =>
            (float)JsonNode.Parse(Tuned.By(Toy.Settings with { ClassWeights = weights }, Rows).Steps.Split('\n')[0])!["loss"]!;
    }

    private static (Tuned Tuned, List<JsonNode> Looks) Train(
        FineTuningSettings settings, string? folder = null, Action<StepRecord>? progress = null, CancellationToken cancellation = default,
        TokenizedRows? rows = null)
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), settings, Toy.Target);
        var steps = tuner.Run(Rows, folder, progress, cancellation, rows ?? Held);
        return (Tuned.Of(tuner, steps), [.. tuner.ValidationLines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)]);
    }

    // The weights after some updates of the same schedule, out of what an interrupted training has in its banks.
    private static Tuned StateAt(int step)
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Settings with { Validation = null }, Toy.Target);
        using var source = new CancellationTokenSource();
        void Stop(StepRecord record)
        {
            if (record.Step == step) source.Cancel();
        }

        if (step == Settings.Steps) tuner.Run(Rows, null, null, default);
        else Assert.ThrowsAny<OperationCanceledException>(() => tuner.Run(Rows, null, Stop, source.Token));
        return Tuned.Of(tuner, "");
    }
}
