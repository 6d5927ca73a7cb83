using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Tests.Models;

public sealed class TrainingStepTests
{
    private static readonly BertConfig Small = TinyBert.Config with { HiddenDropout = 0, AttentionDropout = 0 };

    [Theory]
    [InlineData(false, ScalarType.Float32)]
    [InlineData(true, ScalarType.Float32)]
    [InlineData(false, ScalarType.BFloat16)]
    public void A_step_leaves_no_tensor_behind(bool dora, ScalarType dtype)
    {
        using var trunk = TinyBert.Trunk(dtype);
        using var random = new RandomStream(3, CPU);
        using var model = new SequenceClassifier(
            trunk, LoraAdapter.Create(new LoraConfig(4, 4, 0.05, ["dense"], dora), trunk, random), ClassifierHead.Create(16, 2, random, CPU));
        using var optimizer = new Adafactor(model.Adapter!.Parameters);

        var counts = Enumerable.Range(1, 5).Select(step =>
        {
            Step(model, optimizer, random, step);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }).ToArray();

        Assert.All(counts, count => Assert.Equal(counts[0], count));
    }

    [Fact]
    public void Two_trainings_at_once_give_what_each_gives_alone()
    {
        var alone = Enumerable.Range(0, 2).Select(Train).ToArray();

        var together = new float[2][];
        Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => together[i] = Train(i));

        Assert.Equal(alone[0], together[0]);
        Assert.Equal(alone[1], together[1]);
        Assert.NotEqual(alone[0], alone[1]);
    }

    [Fact]
    public void A_masked_language_model_learns_to_copy_what_it_sees()
    {
        using var random = new RandomStream(3, CPU);
        using var model = MaskedLanguageModel.Create(Small, random, CPU);
        using var optimizer = new AdamW(model.Parameters, new AdamWOptions { DecayMatricesOnly = true });
        var losses = new List<float>();
        for (var step = 0; step < 150; step++)
        {
            using var scope = NewDisposeScope();
            var ids = (arange(48, ScalarType.Int64) * 7 + step % 5).remainder(49).view(4, 12) + 1;
            var places = arange(48, ScalarType.Int64);
            var loss = model.Loss(ids, ones_like(ids), places, ids.view(-1), null, ScalarType.Float32);
            optimizer.Step([.. autograd.grad([loss], [.. model.Parameters.Masters])], 1e-2);
            losses.Add(loss.item<float>());
        }

        Assert.InRange(losses[0], Math.Log(50) - 0.3, Math.Log(50) + 0.3);
        Assert.True(losses[^1] < 0.2 * losses[0], $"from {losses[0]} to {losses[^1]}");
        using var trained = new DisposableTensors(model.EncoderTensors());
        Assert.Equal(Small.Tensors().Select(tensor => tensor.Name).Order(), trained.Tensors.Keys.Order());
    }

    private static float[] Train(int seed)
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(seed, CPU);
        using var model = new SequenceClassifier(
            trunk, LoraAdapter.Create(new LoraConfig(4, 4, 0.05, ["dense"]), trunk, random), ClassifierHead.Create(16, 2, random, CPU));
        using var optimizer = new Adafactor(model.Adapter!.Parameters);
        return [.. Enumerable.Range(1, 6).Select(step => Step(model, optimizer, random, step))];
    }

    private static float Step(SequenceClassifier model, Optimizer optimizer, RandomStream random, int step)
    {
        using var scope = NewDisposeScope();
        random.Reseed(step);
        var (ids, mask) = TinyBert.Batch();
        var loss = functional.cross_entropy(model.Forward(ids, mask, random), tensor(new long[] { 0, 1, 1 }));
        var gradients = autograd.grad([loss], [.. model.Adapter!.Parameters.Masters]).ToArray();
        GradientNorm.Clip(gradients, 1);
        optimizer.Step(gradients, 1e-2);
        return loss.item<float>();
    }

    private sealed record DisposableTensors(IReadOnlyDictionary<string, Tensor> Tensors) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in Tensors.Values) tensor.Dispose();
        }
    }
}
