using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>What a forward pass of <see cref="FusedEncoder"/> keeps for its backward pass. Owns its tensors; each layer's go when the backward pass is through it.</summary>
public sealed class EncoderTape : IDisposable
{
    private readonly Stack<Passed> _layers = new();

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
    }
}

/// <summary>A layer's part of it.</summary>
internal sealed record Passed(
    TokenBatch Batch, Tensor Query, Tensor Key, Tensor Value, Attended Attended, Operand Context, Tensor AttentionSum, Operand Middle, Tensor BeforeGelu,
    Operand Inner, Tensor OutputSum, Drop ContextDrop, Drop AttentionDrop, Drop MiddleDrop, Drop InnerDrop, Drop OutputDrop, double AttentionDropout) : IDisposable
{
    /// <summary>Every tensor of it.</summary>
    public IEnumerable<Tensor?> Tensors =>
    [
        Query, Key, Value, Attended.Context, .. Attended.Kept, .. Context.Tensors, AttentionSum, .. Middle.Tensors, BeforeGelu, .. Inner.Tensors, OutputSum,
    ];

    public void Dispose()
    {
        foreach (var tensor in Tensors) tensor?.Dispose();
    }
}
