using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>A checkpoint whose tensors are taken one at a time, so that a large model need not lie in memory twice.</summary>
public interface ITensorSource
{
    /// <summary>The tensors' shapes by name.</summary>
    IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <summary>A tensor on a device and in a precision, of no dispose scope; the caller's own.</summary>
    Tensor Take(string name, Device device, ScalarType dtype);
}

/// <summary>A checkpoint that is in memory.</summary>
/// <param name="tensors">Its tensors; not owned.</param>
internal sealed class TensorsInMemory(IReadOnlyDictionary<string, Tensor> tensors) : ITensorSource
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; } =
        tensors.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<long>)pair.Value.shape, StringComparer.Ordinal);

    /// <inheritdoc/>
    public Tensor Take(string name, Device device, ScalarType dtype) => tensors[name].to(dtype, device, copy: true).DetachFromDisposeScope();
}
