using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>A frozen trunk, an adapter (or none) and a head: token ids in, logits out.</summary>
/// <param name="Trunk">The trunk; not owned.</param>
/// <param name="Adapter">The adapter, or null for the bare trunk.</param>
/// <param name="Head">The head.</param>
public sealed record SequenceClassifier(Trunk Trunk, LoraAdapter? Adapter, ClassifierHead Head) : IDisposable
{
    /// <summary>Logits [rows, classes], fp32.</summary>
    /// <param name="ids">Token ids, [rows, length], int64.</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length], int64.</param>
    /// <param name="dropout">The randomness of dropouts in training; null in evaluation.</param>
    /// <param name="start">What the passes of other adapters over these rows have in common with this one, without dropouts; null for nothing.</param>
    public Tensor Forward(Tensor ids, Tensor mask, RandomStream? dropout = null, SharedStart? start = null)
    {
        using var scope = NewDisposeScope();
        var hidden = Trunk.Forward(ids, mask, new ForwardPass(dropout, Adapter?.Begin(Trunk.Dtype), Start: start));
        return Head.Forward(hidden, mask).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Adapter?.Dispose();
        Head.Dispose();
    }
}
