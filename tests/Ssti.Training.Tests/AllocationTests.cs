using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests;

/// <summary>
/// Managed bytes that the hot loops allocate, where times vary too much to be tested. Budgets stand a fifth or so above what was measured:
/// an array a row more, or an
/// enumerator in an inner loop, breaks them. What lies in libtorch is held by the counts of live tensors.
/// </summary>
public sealed class AllocationTests
{
    // Of a model of two layers: nearly all are handles of tensors, some eighty bytes each. 37,832, 38,240 with rows in order of length, and
    // 25,448 were measured.
    private const long UpdateBudget = 45_000, PassBudget = 30_000, TokenizeBudget = 0;

    // The second half alone: by then everything is compiled, and lists have grown.
    private const int Steps = 40;

    private static readonly TokenizedRows Rows = Toy.Tokens(23);

    [Theory]
    [InlineData(null, UpdateBudget)]
    [InlineData(HeadPooling.MaskedMean, UpdateBudget)]
    public void An_update_of_a_training(HeadPooling? pooling, long budget)
    {
        using var scope = NewDisposeScope();
        var settings = Toy.Settings with { Steps = Steps, CheckpointEvery = 0, Pooling = pooling };
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), settings, Toy.Target);
        var seen = new List<long>(Steps);
        tuner.Run(Rows, null, _ => seen.Add(GC.GetAllocatedBytesForCurrentThread()), CancellationToken.None);
        Within(budget, seen);
    }

    [Fact]
    public void An_update_allocates_nothing_for_a_row_more()
    {
        // Ids, mask and labels are written where libtorch reads them: of a row its number is left, 4 bytes.
        var (few, many) = (Update(8), Update(64));
        Assert.InRange((many - few) / 56.0, 0, 16);

        static long Update(int batch)
        {
            using var scope = NewDisposeScope();
            using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Toy.Settings with { Steps = Steps, CheckpointEvery = 0, BatchSize = batch }, Toy.Target);
            var seen = new List<long>(Steps);
            tuner.Run(Rows, null, _ => seen.Add(GC.GetAllocatedBytesForCurrentThread()), CancellationToken.None);
            return Median(seen);
        }
    }

    [Fact]
    public void A_pass_of_an_evaluation()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(2, CPU);
        using var trunk = new BertTrunk(Toy.Config, Weights.Encoder(Toy.Config, Toy.Encoder(), CPU, ScalarType.Float32));
        using var model = new SequenceClassifier(
            trunk, LoraAdapter.Create(Toy.Settings.Lora, trunk, random), ClassifierHead.Create(Toy.Config.HiddenSize, 2, random, CPU));
        var rows = Toy.Tokens(5 * Steps);
        var seen = new List<long>(Steps);
        Predictor.Logits(model, rows, 5, _ => seen.Add(GC.GetAllocatedBytesForCurrentThread()), CancellationToken.None);
        Within(PassBudget, seen);
    }

    [Fact]
    public void A_row_that_is_tokenised()
    {
        // On this thread: the budget is of the tokenizer and of the row's own ids.
        string[] texts = [.. Toy.Rows(400).Select(row => row.Text)];
        var ids = new int[Toy.Length];
        foreach (var text in texts) Toy.Tokenizer.Encode(text, ids);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var text in texts) Toy.Tokenizer.Encode(text, ids);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / (double)texts.Length, 0, TokenizeBudget);
    }

    private static void Within(long budget, List<long> seen)
    {
        var each = Median(seen);
        Assert.True(each <= budget, $"{each} bytes are allocated each time, and the budget is {budget}");
    }

    private static long Median(List<long> seen) =>
        seen.Zip(seen.Skip(1), (before, after) => after - before).Skip(Steps / 2).Order().ElementAt(Steps / 4 - 1);
}
