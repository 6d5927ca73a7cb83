using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>
/// The OpenELM decoder (Mehta et al. 2024) with the names and arithmetic of apple/OpenELM's modeling_openelm.py: queries, keys and values out of one product, norms of
/// queries and keys, rotary positions in fp32.
/// </summary>
public sealed class OpenElmTrunk : Trunk
{
    private readonly Layer[] _layers;
    private readonly RmsNorm _norm;
    private readonly RotaryPositions _positions;

    /// <summary>A decoder over tensors by name, as <see cref="TrunkConfig.Build"/> makes it.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="OpenElmConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public OpenElmTrunk(OpenElmConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
        : base(config, weights, ownsWeights)
    {
        Config = config;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(Resolve)];
        _norm = Norm("norm");
        _positions = new RotaryPositions(new RopeSettings(config.RopeTheta).Frequencies(config.HeadWidth), Dtype == ScalarType.Float64 ? Dtype : ScalarType.Float32);
    }

    /// <inheritdoc/>
    public override OpenElmConfig Config { get; }

    /// <inheritdoc/>
    private protected override Tensor Run(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var hidden = Embedded(ids);
        var padding = new Padding(mask, Dtype, causal: true);
        var angles = _positions.Of(length, Device);
        foreach (var layer in _layers)
        {
            var (queries, shared) = (Config.HeadsOf(layer.Number), Config.KeyValueHeadsOf(layer.Number));
            var all = Attention.Split(layer.QueryKeyValue.Of(layer.AttentionNorm.Of(hidden), pass), rows, length, queries + (2 * shared));
            var query = _positions.Turn(Normed(all.narrow(1, 0, queries), layer.QueryNorm), angles);
            var key = _positions.Turn(Normed(all.narrow(1, queries, shared), layer.KeyNorm), angles);
            var value = all.narrow(1, queries + shared, shared);
            var context = Attention.Of(
                layer.Number, query, Attention.Repeated(key, Config.Groups), Attention.Repeated(value, Config.Groups), padding, dropout: 0, pass);
            hidden = hidden.add(layer.AttentionOutput.Of(Attention.Join(context), pass), Scalars.One);
            var halves = layer.GateAndUp.Of(layer.FeedForwardNorm.Of(hidden), pass).chunk(2, -1);
            hidden = hidden.add(layer.Down.Of(functional.silu(halves[0]).mul(halves[1]), pass), Scalars.One);
        }

        return _norm.Of(hidden).view(rows, length, HiddenSize);
    }

    private static Tensor Normed(Tensor heads, RmsNorm? norm) => norm?.Of(heads) ?? heads;

    private RmsNorm Norm(string name) => new(Named($"{name}.weight"), OpenElmConfig.Epsilon);

    private Layer Resolve(int number)
    {
        var linears = Config.Linears(number).Select(linear => Linear(linear.Name)).ToArray();
        RmsNorm? Own(string name) => Config.NormalizeQueriesAndKeys ? Norm($"layers.{number}.attn.{name}") : null;
        return new Layer(
            number, Norm($"layers.{number}.attn_norm"), linears[0], Own("q_norm"), Own("k_norm"), linears[1], Norm($"layers.{number}.ffn_norm"), linears[2], linears[3]);
    }

    private sealed record Layer(
        int Number, RmsNorm AttentionNorm, Projection QueryKeyValue, RmsNorm? QueryNorm, RmsNorm? KeyNorm, Projection AttentionOutput,
        RmsNorm FeedForwardNorm, Projection GateAndUp, Projection Down);
}
