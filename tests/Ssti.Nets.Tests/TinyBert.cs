using Ssti.Nets.Models;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests;

/// <summary>A small encoder of random weights, for what needs no reference.</summary>
internal static class TinyBert
{
    public static BertConfig Config { get; } = new(VocabSize: 50, HiddenSize: 16, Layers: 2, Heads: 4, IntermediateSize: 32, MaxPositions: 12);

    public static BertTrunk Trunk(ScalarType dtype = ScalarType.Float32)
    {
        using var random = new RandomStream(1, CPU);
        using var scope = NewDisposeScope();
        return new BertTrunk(Config, Weights.Encoder(Config, Weights.Initial(Config.Tensors(), random, 0.2), CPU, dtype));
    }

    /// <summary>Ids and mask of 3 rows of 12 tokens, padded at the right.</summary>
    public static (Tensor Ids, Tensor Mask) Batch()
    {
        var mask = ones(3, 12, ScalarType.Int64);
        mask[1, 7..] = zeros(5, ScalarType.Int64);
        mask[2, 3..] = zeros(9, ScalarType.Int64);
        return (arange(36, ScalarType.Int64).view(3, 12) % 49 * mask, mask);
    }
}
