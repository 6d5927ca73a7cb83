using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>What a forward pass of <see cref="FusedEncoder"/> keeps for its backward pass. Owns its tensors; each layer's go when the backward pass is through it.</summary>
public sealed class EncoderTape : IDisposable
{
    private readonly Stack<Passed> _layers = new();
    private readonly List<Tensor> _kept = [];

    /// <summary>Keeps a tensor as long as the tape.</summary>
    internal void Keep(Tensor tensor) => _kept.Add(tensor.DetachFromDisposeScope());

    internal void Add(Passed layer)
    {
        foreach (var tensor in layer.Tensors) tensor?.DetachFromDisposeScope();
        _layers.Push(layer);
    }

    internal Passed Take() => _layers.Pop();

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_layers.TryPop(out var layer)) layer.Dispose();
        foreach (var tensor in _kept) tensor.Dispose();
    }
}

/// <summary>A layer's part of it.</summary>
internal sealed record Passed(
    TokenBatch Batch, AttentionPart[] Attention, Operand Context, Tensor AttentionSum, Operand Middle, Tensor BeforeGelu, Operand Inner, Tensor OutputSum,
    Drop ContextDrop, Drop AttentionDrop, Drop MiddleDrop, Drop InnerDrop, Drop OutputDrop) : IDisposable
{
    /// <summary>Every tensor of it.</summary>
    public IEnumerable<Tensor?> Tensors =>
    [
        .. Attention.SelectMany(part => part.Tensors()), .. Context.Tensors, AttentionSum, .. Middle.Tensors, BeforeGelu, .. Inner.Tensors, OutputSum,
    ];

    public void Dispose()
    {
        foreach (var tensor in Tensors) tensor?.Dispose();
    }
}
