using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Checks and names of the tensors a model is built from.</summary>
public static class Weights
{
    /// <summary>The trunk's tensors out of a checkpoint, by the names of <see cref="TrunkConfig.Tensors"/>, on a device and in a precision.</summary>
    /// <exception cref="ModelException">The checkpoint does not fit the shape, see <see cref="EncoderTensors"/>.</exception>
    public static IReadOnlyDictionary<string, Tensor> Encoder(TrunkConfig config, ITensorSource checkpoint, Device device, ScalarType dtype)
    {
        var shapes = checkpoint.Shapes;
        var found = EncoderTensors.In(config, shapes);
        var taken = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            // Large ones first: a small one in the place that a buffer left would make the next buffer take another, and so on.
            long Size(string there) => shapes[there].Aggregate(1L, (product, width) => product * width);
            foreach (var (name, there) in found.Names.OrderByDescending(pair => Size(pair.Value))) taken.Add(name, checkpoint.Take(there, device, dtype));
            return found.Names.Keys.ToDictionary(name => name, name => taken[name], StringComparer.Ordinal);
        }
        catch
        {
            foreach (var tensor in taken.Values) tensor.Dispose();
            throw;
        }
    }

    /// <summary>The trunk's tensors out of a checkpoint in memory; copies.</summary>
    /// <exception cref="ModelException">The checkpoint does not fit the shape.</exception>
    public static IReadOnlyDictionary<string, Tensor> Encoder(TrunkConfig config, IReadOnlyDictionary<string, Tensor> checkpoint, Device device, ScalarType dtype) =>
        Encoder(config, InMemory(checkpoint), device, dtype);

    /// <summary>Tensors that are in memory, as a source; not owned.</summary>
    public static ITensorSource InMemory(IReadOnlyDictionary<string, Tensor> tensors) => new TensorsInMemory(tensors);

    /// <summary>
    /// Initial tensors of a model trained from scratch: normal with deviation 0.02 for matrices, 1 for norm weights, 0 for biases
    /// (BertPreTrainedModel._init_weights). fp32, on the CPU.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Initial(IEnumerable<(string Name, long[] Shape)> tensors, RandomStream random, double deviation = 0.02) =>
        tensors.ToDictionary(tensor => tensor.Name, tensor =>
            tensor.Shape.Length > 1 ? random.Normal(deviation, tensor.Shape)
            : tensor.Name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(tensor.Shape, ScalarType.Float32)
            : ones(tensor.Shape, ScalarType.Float32));
}
