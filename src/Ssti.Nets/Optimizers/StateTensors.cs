using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

internal static class StateTensors
{
    /// <summary>Copies tensors of a checkpoint into those they were saved from.</summary>
    /// <exception cref="Models.ModelException">The checkpoint lacks one, or has another shape.</exception>
    public static void Restore(IReadOnlyDictionary<string, Tensor> into, IReadOnlyDictionary<string, Tensor> from)
    {
        using var _ = no_grad();
        foreach (var (name, tensor) in into)
        {
            if (!from.TryGetValue(name, out var saved) || !saved.shape.SequenceEqual(tensor.shape))
                throw new Models.ModelException($"the checkpoint has no '{name}' of shape [{string.Join(", ", tensor.shape)}]: it is of another model");
            tensor.copy_(saved);
        }
    }
}
