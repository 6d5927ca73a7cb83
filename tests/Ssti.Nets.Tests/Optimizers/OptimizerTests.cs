using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Optimizers;

public sealed class OptimizerTests
{
    [Theory]
    [InlineData("adafactor")]
    [InlineData("adamw")]
    public void A_training_that_goes_on_from_its_state_ends_with_the_same_bytes(string name)
    {
        using var scope = NewDisposeScope();
        using var whole = Bank();
        using var straight = Optimizer(name, whole);
        for (var step = 0; step < 6; step++) Update(whole, straight, step);

        using var first = Bank();
        using var before = Optimizer(name, first);
        for (var step = 0; step < 3; step++) Update(first, before, step);
        using var second = Bank();
        second.Load(first.State());
        using var after = Optimizer(name, second);
        after.Load(before.State(), 3);
        for (var step = 3; step < 6; step++) Update(second, after, step);

        var expected = whole.Copy();
        foreach (var (key, tensor) in second.Copy()) Assert.Equal(expected[key].data<float>(), tensor.data<float>());
    }

    [Theory]
    [InlineData("adafactor")]
    [InlineData("adamw")]
    public void Parameters_stacked_in_one_master_move_as_they_would_alone(string name)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (arange(6, ScalarType.Float32).view(2, 3), ones(2, 3) * -4);
        using var together = new ParameterBank(new Dictionary<string, Tensor> { ["a"] = a, ["b"] = b }, CPU);
        using var alone = new ParameterBank(new Dictionary<string, Tensor> { ["b"] = b }, CPU);
        using var forBoth = Optimizer(name, together);
        using var forOne = Optimizer(name, alone);
        Assert.Single(together.Masters);

        for (var step = 1; step < 4; step++)
        {
            var gradient = arange(6, ScalarType.Float32).view(2, 3) * step - 2;
            forBoth.Step([stack([gradient * 100, gradient], 0)], 0.1);
            forOne.Step([gradient.unsqueeze(0)], 0.1);
        }

        Assert.True(together.Copy()["b"].allclose(alone.Copy()["b"], rtol: 1e-6, atol: 1e-7));
    }

    [Fact]
    public void A_state_of_another_shape_is_refused()
    {
        using var scope = NewDisposeScope();
        using var bank = Bank();
        using var optimizer = Optimizer("adamw", bank);

        Assert.Throws<ModelException>(() => optimizer.Load(new Dictionary<string, Tensor> { ["mean.0"] = zeros(1) }, 1));
    }

    [Fact]
    public void Clipping_scales_all_gradients_to_the_bound_and_leaves_small_ones_alone()
    {
        using var scope = NewDisposeScope();
        var (large, small) = (new[] { tensor(new[] { 3f, 0f }), tensor(new[] { 4f }) }, new[] { tensor(new[] { 0.3f }) });

        Assert.Equal(5, GradientNorm.Clip(large, 1).item<float>(), 5);
        Assert.Equal(0.3f, GradientNorm.Clip(small, 1).item<float>(), 5);

        Assert.Equal(0.6f, large[0][0].item<float>(), 5);
        Assert.Equal(0.8f, large[1].item<float>(), 5);
        Assert.Equal(0.3f, small[0].item<float>(), 5);
    }

    [Fact]
    public void The_schedule_rises_to_its_peak_and_falls_to_zero()
    {
        var schedule = new CosineSchedule(2, 4, 12);

        Assert.Equal([0, 0.5, 1, 1.5, 2], Enumerable.Range(0, 5).Select(schedule.At));
        Assert.Equal(1, schedule.At(8), 12);
        Assert.Equal(0, schedule.At(12), 12);
    }

    private static ParameterBank Bank()
    {
        using var random = new RandomStream(5, CPU);
        return new ParameterBank(new Dictionary<string, Tensor> { ["matrix"] = random.Normal(1, 4, 3), ["other"] = random.Normal(1, 4, 3), ["bias"] = random.Normal(1, 4) }, CPU);
    }

    private static Optimizer Optimizer(string name, ParameterBank bank) => name == "adamw" ? new AdamW(bank) : new Adafactor(bank, new AdafactorOptions { WeightDecay = 0.01 });

    private static void Update(ParameterBank bank, Optimizer optimizer, int step)
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(100 + step, CPU);
        optimizer.Step([.. bank.Masters.Select(master => random.Normal(1, master.shape))], 0.05);
    }
}
