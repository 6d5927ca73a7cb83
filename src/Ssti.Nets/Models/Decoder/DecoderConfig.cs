using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>
/// The shape of a decoder of Llama's kind: a word table, layers of attention and a gated feed-forward part with root mean square norms before them, rotary
/// positions, and a norm at the end. A family adds its config.json, the names and the layer.
/// </summary>
public abstract record DecoderConfig : TrunkConfig
{
    /// <summary>Columns of a head.</summary>
    public abstract int HeadWidth { get; init; }

    /// <summary>Whether the language model's output matrix is the word table.</summary>
    public abstract bool TieWordEmbeddings { get; init; }

    /// <inheritdoc/>
    public override bool IsCausal => true;

    /// <summary>Epsilon of every norm.</summary>
    internal abstract double NormEpsilon { get; }

    /// <summary>The rotary positions.</summary>
    internal abstract RopeSettings Rotary { get; }

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Roots => [Words[..(Words.IndexOf('.', StringComparison.Ordinal) + 1)], "layers.", "norm."];

    /// <inheritdoc/>
    internal override string? Output => TieWordEmbeddings ? null : "lm_head.weight";

    /// <summary>Heads of keys, and of values, of a layer; each is shared by as many heads of queries.</summary>
    public abstract int KeyValueHeadsOf(int layer);

    /// <inheritdoc/>
    public override IEnumerable<(string Name, long[] Shape)> Tensors() =>
        [(Words, [VocabSize, HiddenSize]), .. Enumerable.Range(0, Layers).SelectMany(TensorsOf), ("norm.weight", [HiddenSize])];

    /// <inheritdoc/>
    public override Trunk Build(IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true) => new DecoderTrunk(this, weights, ownsWeights);

    /// <summary>The tensors of a layer by name, with their shapes.</summary>
    private protected abstract IEnumerable<(string Name, long[] Shape)> TensorsOf(int layer);

    /// <summary>The weights of a layer's linears, in the order they are computed.</summary>
    private protected IEnumerable<(string Name, long[] Shape)> WeightsOf(int layer) =>
        Linears(layer).Select(linear => ($"{linear.Name}.weight", (long[])[linear.Out, linear.In]));

    /// <summary>The precision in which queries and keys are turned, in a model of a precision.</summary>
    internal virtual ScalarType TurnedIn(ScalarType dtype) => dtype;

    /// <summary>A layer of the family's own.</summary>
    internal abstract DecoderLayer Layer(DecoderTrunk trunk, int number);
}
