using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>What the layers of a pass have in common.</summary>
/// <param name="Rows">Rows of the batch.</param>
/// <param name="Length">Tokens of a row.</param>
/// <param name="Padding">What may be attended to.</param>
/// <param name="Positions">The rotary positions.</param>
/// <param name="Angles">Theirs, up to the length.</param>
internal sealed record DecoderBatch(long Rows, long Length, Padding Padding, RotaryPositions Positions, (Tensor Cosines, Tensor Sines) Angles);

/// <summary>A layer of a decoder: to the states it adds attention, then a gated feed-forward part, each of what a norm makes of them.</summary>
internal abstract class DecoderLayer(DecoderConfig config, int number)
{
    private readonly int _times = config.HeadsOf(number) / config.KeyValueHeadsOf(number);

    /// <summary>Before attention.</summary>
    protected abstract RmsNorm AttentionNorm { get; }

    /// <summary>Behind attention.</summary>
    protected abstract Projection AttentionOutput { get; }

    /// <summary>Before the feed-forward part.</summary>
    protected abstract RmsNorm FeedForwardNorm { get; }

    /// <summary>Back to the hidden size.</summary>
    protected abstract Projection Down { get; }

    /// <summary>Dropout of attention weights, in training.</summary>
    protected virtual double Dropout => 0;

    /// <summary>The states behind the layer.</summary>
    /// <param name="hidden">Those before it, [rows·length, hidden].</param>
    /// <param name="batch">What the layers have in common.</param>
    /// <param name="pass">The pass.</param>
    public Tensor Of(Tensor hidden, DecoderBatch batch, ForwardPass pass)
    {
        var (query, key, value) = Heads(AttentionNorm.Of(hidden), batch, pass);
        (query, key) = (batch.Positions.Turn(query, batch.Angles), batch.Positions.Turn(key, batch.Angles));
        var context = Attention.Of(number, query, Attention.Repeated(key, _times), Attention.Repeated(value, _times), batch.Padding, Dropout, pass);
        hidden = hidden.add(AttentionOutput.Of(Attention.Join(context), pass), Scalars.One);
        return hidden.add(Down.Of(Gated(FeedForwardNorm.Of(hidden), pass), pass), Scalars.One);
    }

    /// <summary>Queries, keys and values before they are turned, [rows, heads, length, width]; the latter two of their own number of heads.</summary>
    protected abstract (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor normed, DecoderBatch batch, ForwardPass pass);

    /// <summary>silu(gate) · up, [rows·length, intermediate].</summary>
    protected abstract Tensor Gated(Tensor normed, ForwardPass pass);
}
