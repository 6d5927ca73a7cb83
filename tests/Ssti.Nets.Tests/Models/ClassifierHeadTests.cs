using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

public sealed class ClassifierHeadTests
{
    [Fact]
    public void What_a_head_looks_at_follows_from_its_tensors()
    {
        using var scope = NewDisposeScope();
        var hidden = randn(2, 5, 3);
        var (weight, bias, pooler) = (randn(4, 3), randn(4), randn(3, 3));
        using var first = Load(("head.weight", weight), ("head.bias", bias));
        using var pooled = Load(("head.weight", weight), ("head.bias", bias), ("pooler.weight", pooler), ("pooler.bias", ones(3)));
        var wide = randn(4, 6);
        using var both = Load(("head.weight", wide), ("head.bias", bias));

        Assert.Equal((HeadPooling.First, HeadPooling.Pooler, HeadPooling.MeanAndLast), (first.Pooling, pooled.Pooling, both.Pooling));
        Near(matmul(hidden.select(1, 0), weight.t()) + bias, first.Forward(hidden));
        Near(matmul((matmul(hidden.select(1, 0), pooler.t()) + 1).tanh(), weight.t()) + bias, pooled.Forward(hidden));
        Near(matmul(cat([hidden.mean([1]), hidden.select(1, 4)], -1), wide.t()) + bias, both.Forward(hidden));

        static void Near(Tensor expected, Tensor actual) => Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-5f);
    }

    [Fact]
    public void A_mean_without_padding_is_that_of_the_tokens_and_of_none_zero()
    {
        using var scope = NewDisposeScope();
        var hidden = randn(3, 5, 3);
        var mask = tensor(new long[,] { { 1, 1, 0, 0, 0 }, { 1, 1, 1, 1, 1 }, { 0, 0, 0, 0, 0 } });
        var (weight, bias) = (randn(4, 3), randn(4));
        using var head = Load((ClassifierHead.MaskedMeanWeightName, weight), (ClassifierHead.MaskedMeanBiasName, bias));
        Assert.Equal((HeadPooling.MaskedMean, true, true, false), (head.Pooling, head.DropsPadding, head.ReadsMask, head.ReadsPadding));
        var means = stack([hidden[0].narrow(0, 0, 2).mean([0]), hidden[1].mean([0]), zeros(3)]);
        Assert.InRange((matmul(means, weight.t()) + bias - head.Forward(hidden, mask)).abs().max().item<float>(), 0, 1e-5f);
        // What stands at padding, and how much of it, is not looked at.
        Assert.Equal(
            head.Forward(hidden, mask).data<float>().ToArray(),
            head.Forward(cat([hidden.masked_fill(mask.eq(0).unsqueeze(-1), 7), ones(3, 2, 3)], 1), cat([mask, zeros(3, 2, ScalarType.Int64)], 1)).data<float>().ToArray());
        Assert.Contains("'masked-mean.weight' is [4, 6], and 4 classes on hidden states of 3 want [4, 3]", Assert.Throws<ModelException>(() =>
            Load((ClassifierHead.MaskedMeanWeightName, zeros(4, 6)), (ClassifierHead.MaskedMeanBiasName, bias))).Message);
    }

    [Fact]
    public void A_head_of_the_wrong_shape_is_refused_with_the_right_one()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("'head.weight' is [3, 6], and 4 classes on hidden states of 3 want [4, 6]", Message(("head.weight", zeros(3, 6)), ("head.bias", zeros(3))));
        Assert.Contains("'head.weight' is [4, 5]", Message(("head.weight", zeros(4, 5)), ("head.bias", zeros(4))));
        Assert.Contains("'head.weight' is [24]", Message(("head.weight", zeros(24)), ("head.bias", zeros(4))));
        Assert.Contains("'head.bias' is [4, 1]", Message(("head.weight", zeros(4, 6)), ("head.bias", zeros(4, 1))));
        Assert.Contains("'pooler.weight' is [3, 2]", Message(("head.weight", zeros(4, 3)), ("head.bias", zeros(4)), ("pooler.weight", zeros(3, 2)), ("pooler.bias", zeros(3))));
        Assert.Contains("a pooler without 'pooler.bias'", Message(("head.weight", zeros(4, 3)), ("head.bias", zeros(4)), ("pooler.weight", zeros(3, 3))));
        Assert.Contains("needs 'head.weight' and 'head.bias'", Message(("weight", zeros(4, 6))));

        static string Message(params (string, Tensor)[] tensors) => Assert.Throws<ModelException>(() => Load(tensors)).Message;
    }

    private static ClassifierHead Load(params (string Name, Tensor Tensor)[] tensors) =>
        ClassifierHead.Load(tensors.ToDictionary(pair => pair.Name, pair => pair.Tensor), 3, 4, CPU);
}
