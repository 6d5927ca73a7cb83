using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>A small model of random weights of every family: what all of them must pass is tried on each.</summary>
internal static class TinyFamily
{
    public static readonly string[] Names = ["bert", "distilbert", "llama", "llama3", "openelm"];

    /// <summary>The families, as a theory's data.</summary>
    public static TheoryData<string> All => [.. Names];

    public static TrunkConfig Config(string family) => family switch
    {
        "bert" => TinyBert.Config,
        "distilbert" => new DistilBertConfig(VocabSize: 50, HiddenSize: 16, Layers: 2, Heads: 4, IntermediateSize: 32, MaxPositions: 12),
        "llama" => new LlamaConfig(50, 16, Layers: 2, Heads: 4, KeyValueHeads: 2, HeadWidth: 4, IntermediateSize: 24, MaxPositions: 12, new RopeSettings(10000)),
        // A head width of its own, dropout, a scaled context, an output matrix tied to the words.
        "llama3" => new LlamaConfig(
            50, 16, Layers: 2, Heads: 4, KeyValueHeads: 1, HeadWidth: 6, IntermediateSize: 24, MaxPositions: 12,
            new RopeSettings(500, "llama3", 8, 1, 4, OriginalPositions: 16), AttentionDropout: 0.1, TieWordEmbeddings: true),
        // Two heads of queries in the first layer, four in the second.
        "openelm" => new OpenElmConfig(50, 16, 2, [0.5, 1], [0.5, 2], Groups: 2, HeadWidth: 4, MaxPositions: 12, FfnDivisor: 8),
        _ => throw new ArgumentException(family, nameof(family)),
    };

    /// <summary>Its tensors, the same for every call; norms away from 1 and biases away from 0, so that leaving one out shows.</summary>
    public static IReadOnlyDictionary<string, Tensor> Tensors(string family, long seed = 1)
    {
        using var random = new RandomStream(seed, CPU);
        return Weights.Initial(Config(family).Tensors(), random, 0.3).ToDictionary(
            pair => pair.Key, pair => pair.Value.dim() > 1 ? pair.Value : pair.Value + random.Normal(0.2, pair.Value.shape));
    }

    public static Trunk Trunk(string family, ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        return Config(family).Build(Weights.Encoder(Config(family), Tensors(family), CPU, dtype));
    }

    /// <summary>Names that every family's adapted linears end with.</summary>
    public static string[] AllLinears(string family) => [.. Config(family).Linears().Select(linear => linear.Name[(linear.Name.LastIndexOf('.') + 1)..]).Distinct()];
}
