using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Fused;

/// <summary>The written-out passes over plain kernels, beside the plain encoder and autograd. The GPU's kernels are held to the plain ones by hand: tests/benchmarks/gpu.</summary>
public class FusedEncoderTests
{
    private static readonly int[] Lengths = [12, 7, 3];

    [Theory]
    [InlineData(4, 8, "dense")]
    [InlineData(8, 8, "dense")]
    [InlineData(1, 2, "intermediate.dense")]
    [InlineData(3, 1, "attention.output.dense")]
    [InlineData(2, 2, "1.output.dense")]
    [InlineData(2, 2, "1.intermediate.dense", "1.attention.output.dense")]
    public void Without_dropouts_it_computes_what_the_plain_encoder_does_and_the_gradients_of_autograd(int rank, double alpha, params string[] targets)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var adapter = Adapter(trunk, new LoraConfig(rank, alpha, 0, targets));
        var batch = PlainKernels.Batch(Lengths, 12, TinyBert.Config.VocabSize);
        var mask = batch.Ids.ne(0.ToScalar()).to(ScalarType.Int64);
        var weights = randn(3, 12, 16);

        var expected = trunk.Forward(batch.Ids.to(ScalarType.Int64), mask, new ForwardPass(null, adapter.Begin(ScalarType.Float32)));
        var gradients = autograd.grad([(expected * weights).sum()], [.. adapter.Parameters.Masters]);
        using var fused = new FusedEncoder(trunk, [adapter], new PlainKernels());
        using var tape = new EncoderTape();
        var hidden = fused.Forward(batch, null, tape);

        Near(expected, hidden);
        Near(expected, fused.Forward(batch));
        foreach (var (wanted, got) in gradients.Zip(fused.Backward(tape, weights)[0], (a, b) => (a, b))) Near(wanted, got);
    }

    [Fact]
    public void It_sees_the_adapter_as_it_was_when_it_was_last_refreshed()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var adapter = Adapter(trunk, new LoraConfig(4, 4, 0, ["dense"]));
        var batch = PlainKernels.Batch(Lengths, 12, TinyBert.Config.VocabSize);
        using var fused = new FusedEncoder(trunk, [adapter], new PlainKernels());
        var before = fused.Forward(batch);
        using (no_grad()) foreach (var master in adapter.Parameters.Masters) master.mul_(2);
        Assert.Equal(before.bytes.ToArray(), fused.Forward(batch).bytes.ToArray());
        fused.Refresh();
        Near(
            trunk.Forward(
                batch.Ids.to(ScalarType.Int64), batch.Ids.ne(0.ToScalar()).to(ScalarType.Int64),
                new ForwardPass(null, adapter.Begin(ScalarType.Float32))),
            fused.Forward(batch));
    }

    /// <summary>With dropouts nothing else draws the same masks: the gradient is held to the slope of the loss itself, in double precision.</summary>
    [Theory]
    [InlineData("dense")]
    [InlineData("intermediate.dense")]
    [InlineData("1.output.dense")]
    public void With_dropouts_the_gradients_are_the_slope_of_the_loss(string target)
    {
        using var scope = NewDisposeScope();
        var config = TinyBert.Config with { HiddenDropout = 0.2, AttentionDropout = 0 };
        using var random = new RandomStream(3, CPU);
        using var trunk = new BertTrunk(config, Weights.Encoder(config, Weights.Initial(config.Tensors(), random, 0.2), CPU, ScalarType.Float64));
        using var adapter = Adapter(trunk, new LoraConfig(4, 8, 0.3, [target]));
        using var fused = new FusedEncoder(trunk, [adapter], new PlainKernels());
        var batch = PlainKernels.Batch(Lengths, 12, config.VocabSize);
        var weights = random.Normal(1, 3, 12, 16).to(ScalarType.Float64);
        var masters = adapter.Parameters.Masters;
        var directions = masters.Select(master => random.Normal(1, master.shape)).ToArray();
        var without = fused.Forward(batch);

        using var tape = new EncoderTape();
        var loss = Loss(tape);
        var gradients = fused.Backward(tape, weights)[0];
        var slope = gradients.Zip(directions, (gradient, direction) => (gradient * direction).sum().item<float>()).Sum();
        // A direction may happen to go along the slope: what is off is measured by the gradient's own length.
        var length = Math.Sqrt(gradients.Sum(gradient => gradient.square().sum().item<float>()));
        const double step = 1e-4;
        Move(step);
        var above = Loss(null);
        Move(-2 * step);
        var below = Loss(null);

        Assert.NotEqual((without * weights).sum().item<double>(), loss);
        Assert.Equal((above - below) / (2 * step), slope, length * 5e-4);

        double Loss(EncoderTape? tape)
        {
            random.Reseed(1);
            return (fused.Forward(batch, random, tape) * weights).sum().item<double>();
        }

        void Move(double by)
        {
            using var _ = no_grad();
            foreach (var (master, direction) in masters.Zip(directions)) master.add_(direction, by);
            fused.Refresh();
        }
    }

    /// <summary>Ranks that are stored alike, values, dropouts and lengths of rows apart: what each gets is what it gets alone, to the bit, but for products made at once.</summary>
    [Theory]
    [InlineData("dense", 0)]
    [InlineData("dense", 0.3)]
    [InlineData("intermediate.dense", 0.3)]
    [InlineData("1.output.dense", 0.2)]
    public void Adapters_side_by_side_get_what_each_gets_alone(string target, double dropout)
    {
        using var scope = NewDisposeScope();
        var config = TinyBert.Config with { HiddenDropout = dropout / 2, AttentionDropout = 0 };
        using var random = new RandomStream(3, CPU);
        using var trunk = new BertTrunk(config, Weights.Encoder(config, Weights.Initial(config.Tensors(), random, 0.2), CPU, ScalarType.Float64));
        var adapters = new[] { 4, 5, 4 }.Select((rank, i) => Adapter(trunk, new LoraConfig(rank, 2 * rank, dropout, [target]), 20 + i)).ToArray();
        var batches = new[] { Lengths, [1, 12, 9], [5, 5, 5] }.Select(lengths => PlainKernels.Batch(lengths, 12, config.VocabSize)).ToArray();
        var streams = adapters.Select((_, i) => new RandomStream(50 + i, CPU)).ToArray();
        var weights = random.Normal(1, 9, 12, 16).to(ScalarType.Float64);
        Assert.True(FusedEncoder.Fit(adapters[0], adapters[1]));

        using var together = new FusedEncoder(trunk, adapters, new PlainKernels());
        using var tape = new EncoderTape();
        Start();
        var hidden = together.Forward(TokenBatch.Join(batches), tape, dropout > 0 ? streams : []);
        var gradients = together.Backward(tape, weights);

        Start();
        for (var i = 0; i < adapters.Length; i++)
        {
            using var alone = new FusedEncoder(trunk, [adapters[i]], new PlainKernels());
            using var own = new EncoderTape();
            Near(alone.Forward(batches[i], dropout > 0 ? streams[i] : null, own), hidden.narrow(0, 3 * i, 3), 1e-12);
            foreach (var (wanted, got) in alone.Backward(own, weights.narrow(0, 3 * i, 3))[0].Zip(gradients[i])) Near(wanted, got, 1e-6);
        }

        foreach (var adapter in adapters) adapter.Dispose();
        foreach (var stream in streams) stream.Dispose();

        void Start()
        {
            foreach (var stream in streams) stream.Reseed(2);
        }
    }

    [Fact]
    public void Adapters_of_other_linears_ranks_scalings_or_dropouts_do_not_stand_side_by_side()
    {
        using var trunk = TinyBert.Trunk();
        using var one = Adapter(trunk, new LoraConfig(4, 4, 0.1, ["dense"]));
        foreach (var other in new[]
        {
            new LoraConfig(4, 4, 0.1, ["output.dense"]), new LoraConfig(9, 9, 0.1, ["dense"]), new LoraConfig(4, 8, 0.1, ["dense"]), new LoraConfig(4, 4, 0.2, ["dense"]),
        })
        {
            using var adapter = Adapter(trunk, other);
            Assert.False(FusedEncoder.Fit(one, adapter));
        }

        using var like = Adapter(trunk, new LoraConfig(8, 8, 0.1, ["dense"]));
        Assert.True(FusedEncoder.Fit(one, like));
    }

    [Fact]
    public void A_backward_pass_leaves_no_tensors_behind()
    {
        using var trunk = TinyBert.Trunk();
        using var adapter = Adapter(trunk, new LoraConfig(4, 4, 0.05, ["dense"]));
        using var random = new RandomStream(3, CPU);
        using var fused = new FusedEncoder(trunk, [adapter], new PlainKernels());
        var config = TinyBert.Config;
        Once();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 3; i++) Once();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Once()
        {
            using var scope = NewDisposeScope();
            using var tape = new EncoderTape();
            var batch = PlainKernels.Batch(Lengths, 12, config.VocabSize);
            fused.Backward(tape, fused.Forward(batch, null, tape));
        }
    }

    [Fact]
    public void It_is_for_bf16_on_cuda_and_for_adapters_that_it_knows()
    {
        using var trunk = TinyBert.Trunk();
        Assert.Null(FusedEncoder.For(trunk, null));
        var config = new BertConfig(100, 384, 6, 12, 1536, 512);
        Assert.True(FusedEncoder.Fits(config, null));
        Assert.False(FusedEncoder.Fits(config with { HiddenSize = 1032 }, null));
        Assert.False(FusedEncoder.Fits(TinyBert.Config, null));
        using var query = Adapter(trunk, new LoraConfig(4, 4, 0, ["query", "dense"]));
        using var dora = Adapter(trunk, new LoraConfig(4, 4, 0, ["dense"], UseDora: true));
        using var plain = Adapter(trunk, new LoraConfig(4, 4, 0, ["dense"]));
        Assert.False(FusedEncoder.Fits(config, query));
        Assert.False(FusedEncoder.Fits(config, dora));
        Assert.True(FusedEncoder.Fits(config, plain));
    }

    [Fact]
    public void The_script_of_flash_attention_compiles()
    {
        using var unit = jit.compile(FlashAttention.Source);
        Assert.NotNull(unit);
    }

    // An adapter whose B is not zero, as after some updates.
    private static LoraAdapter Adapter(BertTrunk trunk, LoraConfig config, int seed = 2)
    {
        using var random = new RandomStream(seed, CPU);
        var adapter = LoraAdapter.Create(config, trunk, random);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(0.2, master.shape), Scalars.One);
        return adapter;
    }

    private static void Near(Tensor expected, Tensor actual, double tolerance = 2e-5)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected.detach() - actual).abs().max().to(ScalarType.Float32).item<float>();
        Assert.True(distance <= tolerance * Math.Max(1, expected.abs().max().to(ScalarType.Float32).item<float>()), $"differs by {distance}");
    }
}
