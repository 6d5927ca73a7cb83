using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>A pretrained model without its head: token ids in, hidden states out.</summary>
public abstract class Trunk : IDisposable
{
    /// <summary>Width of a hidden state.</summary>
    public abstract int HiddenSize { get; }

    /// <summary>The longest input, in tokens.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>The precision of the weights and activations.</summary>
    public abstract ScalarType Dtype { get; }

    /// <summary>The device of the weights.</summary>
    public abstract Device Device { get; }

    /// <summary>Every linear that an adapter may attach to, in the order they are computed.</summary>
    public abstract IReadOnlyList<LinearShape> Linears { get; }

    /// <summary>The frozen weight of a linear, [out, in].</summary>
    public abstract Tensor WeightOf(string linear);

    /// <summary>Hidden states of the last layer.</summary>
    /// <param name="ids">Token ids, [rows, length], int64.</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length], int64.</param>
    /// <param name="pass">Adapters, dropouts and what else this pass has.</param>
    /// <returns>[rows, length, hidden].</returns>
    public abstract Tensor Forward(Tensor ids, Tensor mask, ForwardPass pass);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What one pass through a trunk does besides the frozen weights.</summary>
/// <param name="Dropout">The randomness of dropouts in training; null turns them off.</param>
/// <param name="Adapters">Adapters of the linears; null for the bare trunk.</param>
/// <param name="OnAttention">Receives the attention weights of each layer, [rows, heads, length, length], by the layer's number.</param>
public sealed record ForwardPass(RandomStream? Dropout = null, Lora.LoraStep? Adapters = null, Action<int, Tensor>? OnAttention = null)
{
    /// <summary>Evaluation of the bare trunk.</summary>
    public static ForwardPass Plain { get; } = new();
}
