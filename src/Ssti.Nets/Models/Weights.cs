using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Checks and names of the tensors a model is built from.</summary>
public static class Weights
{
    /// <summary>The encoder's tensors out of a checkpoint, by the names of <see cref="BertConfig.Tensors"/>, on a device and in a precision; copies.</summary>
    /// <exception cref="ModelException">The checkpoint does not fit the shape, see <see cref="EncoderTensors"/>.</exception>
    public static IReadOnlyDictionary<string, Tensor> Encoder(BertConfig config, IReadOnlyDictionary<string, Tensor> checkpoint, Device device, ScalarType dtype)
    {
        var found = EncoderTensors.In(config, checkpoint.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<long>)pair.Value.shape, StringComparer.Ordinal));
        return found.Names.ToDictionary(pair => pair.Key, pair => checkpoint[pair.Value].to(dtype, device, copy: true).DetachFromDisposeScope());
    }

    /// <summary>
    /// Initial tensors of an encoder trained from scratch: normal with deviation 0.02 for matrices, 1 for norm weights, 0 for biases
    /// (BertPreTrainedModel._init_weights). fp32, on the CPU.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Initial(IEnumerable<(string Name, long[] Shape)> tensors, RandomStream random, double deviation = 0.02) =>
        tensors.ToDictionary(tensor => tensor.Name, tensor =>
            tensor.Shape.Length > 1 ? random.Normal(deviation, tensor.Shape)
            : tensor.Name.EndsWith("LayerNorm.weight", StringComparison.Ordinal) ? ones(tensor.Shape, ScalarType.Float32)
            : zeros(tensor.Shape, ScalarType.Float32));
}
