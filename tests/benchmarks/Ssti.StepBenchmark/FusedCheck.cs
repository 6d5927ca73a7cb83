using System.Text.Json;
using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Training;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

/// <summary>The written-out passes on the GPU beside autograd's, both in bf16, each measured by its distance from autograd's in fp32. Prints JSON lines.</summary>
internal static class FusedCheck
{
    private static readonly BertConfig Config = new(30522, 384, 6, 12, 1536, 512);

    /// <summary>Compares; the exit status is 1 when the written-out passes are farther off than rounding explains, or do not repeat.</summary>
    public static int Run()
    {
        LibTorch.Ensure();
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var weights = Weights.Initial(Config.Tensors(), random, 0.05);
        bool[] fine =
        [
            Passes(weights, ["dense"], 64), Passes(weights, ["output.dense"], 1), Passes(weights, ["intermediate.dense"], 16),
            Losses(weights), Repeats(weights), Predictions(weights),
        ];
        return fine.All(one => one) ? 0 : 1;
    }

    private static bool Passes(IReadOnlyDictionary<string, Tensor> weights, string[] targets, int rank)
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(2, CUDA);
        using var exact = new BertTrunk(Config, Weights.Encoder(Config, weights, CUDA, ScalarType.Float32));
        using var half = new BertTrunk(Config, Weights.Encoder(Config, weights, CUDA, ScalarType.BFloat16));
        using var adapter = LoraAdapter.Create(new LoraConfig(rank, rank, 0.05, targets), exact, random);
        using (no_grad()) foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(0.05, master.shape).to(CUDA), Scalars.One);
        var rows = BenchmarkRows.Of(16, 512, imdb: true);
        var all = Enumerable.Range(0, rows.Count).ToArray();
        var (batch, ragged) = (rows.Batch(all, CUDA), rows.Ragged(all, CUDA));
        var weight = random.Normal(1, 16, 512, 384).to(CUDA);

        var (hidden, gradients) = Plain(exact);
        var (plainHidden, plainGradients) = Plain(half);
        using var fused = FusedEncoder.For(half, adapter)!;
        using var tape = new EncoderTape();
        var fusedHidden = fused.Forward(ragged.Tokens, null, tape);
        var fusedGradients = fused.Backward(tape, weight.to(ScalarType.BFloat16))[0];
        var (fusedOff, plainOff) = (Distance(fusedHidden, hidden), Distance(plainHidden, hidden));
        var fusedGradientOff = gradients.Zip(fusedGradients, (wanted, got) => Distance(got, wanted)).Max();
        var plainGradientOff = gradients.Zip(plainGradients, (wanted, got) => Distance(got, wanted)).Max();
        Print(new { check = "passes", targets, rank, hidden = fusedOff, hidden_autograd = plainOff, gradients = fusedGradientOff, gradients_autograd = plainGradientOff });
        return fusedOff <= 1.2 * plainOff && fusedGradientOff <= 1.2 * plainGradientOff;

        (Tensor, Tensor[]) Plain(BertTrunk trunk)
        {
            var output = trunk.Forward(batch.Ids, batch.Mask, new ForwardPass(null, adapter.Begin(trunk.Dtype)));
            return (output.detach(), [.. autograd.grad([(output.to(ScalarType.Float32) * weight).sum()], [.. adapter.Parameters.Masters])]);
        }
    }

    // Adafactor makes every gradient equally long, one of rounding too, and so losses part: how far from those in fp32 is what the two are compared by.
    private static bool Losses(IReadOnlyDictionary<string, Tensor> weights)
    {
        var exact = Train(weights, ScalarType.Float32, fused: false, dropouts: false, 20);
        var (fused, plain) = (Train(weights, ScalarType.BFloat16, true, false, 20), Train(weights, ScalarType.BFloat16, false, false, 20));
        var (fusedOff, plainOff) = (Off(fused), Off(plain));
        Print(new { check = "20 updates", off = fusedOff, off_autograd = plainOff, last = fused[^1], last_autograd = plain[^1], last_exact = exact[^1] });
        return fusedOff <= (1.5 * plainOff) + 0.002;

        double Off(float[] losses) => losses.Zip(exact, (a, b) => Math.Abs(a - (double)b)).Average();
    }

    private static bool Repeats(IReadOnlyDictionary<string, Tensor> weights)
    {
        var (first, second) = (Train(weights, ScalarType.BFloat16, true, true, 8), Train(weights, ScalarType.BFloat16, true, true, 8));
        Print(new { check = "repeats to the bit", equal = first.SequenceEqual(second) });
        return first.SequenceEqual(second);
    }

    private static bool Predictions(IReadOnlyDictionary<string, Tensor> weights)
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(2, CPU);
        using var exact = new BertTrunk(Config, Weights.Encoder(Config, weights, CUDA, ScalarType.Float32));
        using var half = new BertTrunk(Config, Weights.Encoder(Config, weights, CUDA, ScalarType.BFloat16));
        using var head = ClassifierHead.Create(384, 2, random, CUDA);
        var rows = BenchmarkRows.Of(256, 512, imdb: true);
        var wanted = Predictor.Logits(new SequenceClassifier(exact, null, head), rows, 64, null, CancellationToken.None);
        var got = Predictor.Logits(new SequenceClassifier(half, null, head), rows, 64, null, CancellationToken.None);
        var off = wanted.Zip(got, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
        Print(new { check = "predictions", largest_difference_of_a_logit = off });
        return off < 0.05;
    }

    private static float[] Train(IReadOnlyDictionary<string, Tensor> weights, ScalarType dtype, bool fused, bool dropouts, int steps)
    {
        var settings = new FineTuningSettings
        {
            Classes = 2, Steps = steps, BatchSize = 32, CheckpointEvery = 0, Dropouts = dropouts, Seed = 40, LearningRate = 1e-4,
            Lora = new LoraConfig(16, 16, dropouts ? 0.05 : 0, ["dense"]),
        };
        using var tuner = new FineTuner(Config, weights, settings, new TrainingTarget(CUDA, dtype)) { WrittenOut = fused ? FusedEncoder.For : static (_, _) => null };
        var lines = tuner.Run(BenchmarkRows.Of(256, 512, imdb: true), null, null, CancellationToken.None);
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetSingle())];
    }

    private static double Distance(Tensor from, Tensor to)
    {
        using var scope = NewDisposeScope();
        return (from.to(ScalarType.Float32) - to).norm().div(to.norm()).item<float>();
    }

    private static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result));
}
