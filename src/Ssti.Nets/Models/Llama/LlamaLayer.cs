using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>A layer of LlamaModel: queries, keys and values, and gate and up, are products of their own.</summary>
internal sealed class LlamaLayer(LlamaConfig config, DecoderTrunk trunk, int number) : DecoderLayer(config, number)
{
    private readonly Projection[] _linears = trunk.LinearsOf(number);

    protected override RmsNorm AttentionNorm { get; } = trunk.Norm($"layers.{number}.input_layernorm");

    protected override Projection AttentionOutput => _linears[3];

    protected override RmsNorm FeedForwardNorm { get; } = trunk.Norm($"layers.{number}.post_attention_layernorm");

    protected override Projection Down => _linears[6];

    protected override double Dropout => config.AttentionDropout;

    protected override (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor normed, DecoderBatch batch, ForwardPass pass)
    {
        return (Split(0, config.Heads), Split(1, config.KeyValueHeads), Split(2, config.KeyValueHeads));

        Tensor Split(int linear, int heads) => Attention.Split(_linears[linear].Of(normed, pass), batch.Rows, batch.Length, heads);
    }

    protected override Tensor Gated(Tensor normed, ForwardPass pass) => functional.silu(_linears[4].Of(normed, pass)).mul(_linears[5].Of(normed, pass));
}
