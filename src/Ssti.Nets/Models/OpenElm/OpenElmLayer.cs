using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>A layer of modeling_openelm.py: queries, keys and values are one product, and so are gate and up; queries and keys may have norms of their own.</summary>
internal sealed class OpenElmLayer(OpenElmConfig config, DecoderTrunk trunk, int number) : DecoderLayer(config, number)
{
    private readonly int _queries = config.HeadsOf(number), _shared = config.KeyValueHeadsOf(number);
    private readonly Projection[] _linears = trunk.LinearsOf(number);
    private readonly RmsNorm? _queryNorm = config.NormalizeQueriesAndKeys ? trunk.Norm($"layers.{number}.attn.q_norm") : null;
    private readonly RmsNorm? _keyNorm = config.NormalizeQueriesAndKeys ? trunk.Norm($"layers.{number}.attn.k_norm") : null;

    protected override RmsNorm AttentionNorm { get; } = trunk.Norm($"layers.{number}.attn_norm");

    protected override Projection AttentionOutput => _linears[1];

    protected override RmsNorm FeedForwardNorm { get; } = trunk.Norm($"layers.{number}.ffn_norm");

    protected override Projection Down => _linears[3];

    protected override (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor normed, DecoderBatch batch, ForwardPass pass)
    {
        var all = Attention.Split(_linears[0].Of(normed, pass), batch.Rows, batch.Length, _queries + (2 * _shared));
        return (
            Normed(all.narrow(1, 0, _queries), _queryNorm), Normed(all.narrow(1, _queries, _shared), _keyNorm),
            all.narrow(1, _queries + _shared, _shared));
    }

    protected override Tensor Gated(Tensor normed, ForwardPass pass)
    {
        var halves = _linears[2].Of(normed, pass).chunk(2, -1);
        return functional.silu(halves[0]).mul(halves[1]);
    }

    private static Tensor Normed(Tensor heads, RmsNorm? norm) => norm?.Of(heads) ?? heads;
}
