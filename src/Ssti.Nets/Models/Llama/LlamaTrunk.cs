using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>The Llama decoder (Touvron et al. 2023; Llama 3: Dubey et al. 2024) with Hugging Face's names and arithmetic (LlamaModel), without output matrix.</summary>
public sealed class LlamaTrunk : Trunk
{
    private readonly Layer[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryPositions _positions;

    /// <summary>A decoder over tensors by name, as <see cref="TrunkConfig.Build"/> makes it.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="LlamaConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public LlamaTrunk(LlamaConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
        : base(config, weights, ownsWeights)
    {
        Config = config;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(Resolve)];
        _norm = Norm("norm");
        _positions = new RotaryPositions(config.Rope.Frequencies(config.HeadWidth), Dtype);
    }

    /// <inheritdoc/>
    public override LlamaConfig Config { get; }

    /// <inheritdoc/>
    private protected override Tensor Run(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var hidden = Embedded(ids);
        var padding = new Padding(mask, Dtype, causal: true);
        var angles = _positions.Of(length, Device);
        foreach (var layer in _layers)
        {
            var normed = layer.AttentionNorm.Of(hidden);
            var query = _positions.Turn(Attention.Split(layer.Query.Of(normed, pass), rows, length, Config.Heads), angles);
            var key = _positions.Turn(Attention.Split(layer.Key.Of(normed, pass), rows, length, Config.KeyValueHeads), angles);
            var value = Attention.Split(layer.Value.Of(normed, pass), rows, length, Config.KeyValueHeads);
            var times = Config.Heads / Config.KeyValueHeads;
            var context = Attention.Of(
                layer.Number, query, Attention.Repeated(key, times), Attention.Repeated(value, times), padding, Config.AttentionDropout, pass);
            hidden = hidden.add(layer.AttentionOutput.Of(Attention.Join(context), pass), Scalars.One);
            normed = layer.FeedForwardNorm.Of(hidden);
            var inner = functional.silu(layer.Gate.Of(normed, pass)).mul(layer.Up.Of(normed, pass));
            hidden = hidden.add(layer.Down.Of(inner, pass), Scalars.One);
        }

        return _norm.Of(hidden).view(rows, length, HiddenSize);
    }

    private RmsNorm Norm(string name) => new(Named($"{name}.weight"), Config.RmsNormEps);

    private Layer Resolve(int number)
    {
        var linears = Config.Linears(number).Select(linear => Linear(linear.Name)).ToArray();
        return new Layer(
            number, Norm($"layers.{number}.input_layernorm"), linears[0], linears[1], linears[2], linears[3],
            Norm($"layers.{number}.post_attention_layernorm"), linears[4], linears[5], linears[6]);
    }

    private sealed record Layer(
        int Number, RmsNorm AttentionNorm, Projection Query, Projection Key, Projection Value, Projection AttentionOutput,
        RmsNorm FeedForwardNorm, Projection Gate, Projection Up, Projection Down);
}
