using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>A decoder with Hugging Face's names and arithmetic, without output matrix: what its families have in common, around their layers.</summary>
public sealed class DecoderTrunk : Trunk
{
    private readonly DecoderLayer[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryPositions _positions;

    /// <summary>A decoder over tensors by name, as <see cref="TrunkConfig.Build"/> makes it.</summary>
    /// <param name="config">The shape, and the family.</param>
    /// <param name="weights">Every tensor of <see cref="DecoderConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public DecoderTrunk(DecoderConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
        : base(config, weights, ownsWeights)
    {
        Config = config;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(number => config.Layer(this, number))];
        _norm = Norm("norm");
        _positions = new RotaryPositions(config.Rotary.Frequencies(config.HeadWidth), config.TurnedIn(Dtype));
    }

    /// <inheritdoc/>
    public override DecoderConfig Config { get; }

    /// <inheritdoc/>
    private protected override Tensor Run(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var hidden = Embedded(ids);
        var batch = new DecoderBatch(rows, length, new Padding(mask, Dtype, causal: true), _positions, _positions.Of(length, Device));
        foreach (var layer in _layers) hidden = layer.Of(hidden, batch, pass);
        return _norm.Of(hidden).view(rows, length, HiddenSize);
    }

    /// <summary>A norm by its module's name.</summary>
    internal RmsNorm Norm(string name) => new(Named($"{name}.weight"), Config.NormEpsilon);

    /// <summary>The linears of a layer, in the order they are computed.</summary>
    internal Projection[] LinearsOf(int layer) => [.. Config.Linears(layer).Select(linear => Linear(linear.Name))];
}
