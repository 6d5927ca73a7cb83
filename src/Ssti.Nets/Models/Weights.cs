using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Checks and names of the tensors a model is built from.</summary>
public static class Weights
{
    // What a checkpoint may hold beyond the encoder: heads of other tasks and buffers, never needed here.
    private static readonly string[] Ignorable = ["pooler.", "cls.", "classifier.", "embeddings.position_ids"];

    /// <summary>
    /// The encoder's tensors out of a checkpoint, under their names without a <c>bert.</c> prefix, on a device and in a precision.
    /// Strict: names that are missing, unexpected or of another shape are listed and refused.
    /// </summary>
    /// <exception cref="ModelException">The checkpoint does not fit the shape.</exception>
    public static IReadOnlyDictionary<string, Tensor> Encoder(BertConfig config, IReadOnlyDictionary<string, Tensor> checkpoint, Device device, ScalarType dtype)
    {
        var prefix = checkpoint.Keys.Any(name => name.StartsWith("bert.", StringComparison.Ordinal)) ? "bert." : "";
        var wanted = config.Tensors().ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        var problems = new List<string>();
        foreach (var (name, shape) in wanted)
        {
            if (!checkpoint.TryGetValue(prefix + name, out var tensor)) problems.Add($"missing: {prefix}{name}");
            else if (!tensor.shape.SequenceEqual(shape))
                problems.Add($"wrong shape: {prefix}{name} is [{string.Join(", ", tensor.shape)}], and config.json says [{string.Join(", ", shape)}]");
        }

        foreach (var name in checkpoint.Keys)
        {
            var bare = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            if (!wanted.ContainsKey(bare) && !Ignorable.Any(part => bare.StartsWith(part, StringComparison.Ordinal))) problems.Add($"unexpected: {name}");
        }

        if (problems.Count > 0)
            throw new ModelException($"the weights do not fit config.json: {string.Join("; ", problems.Take(12))}{(problems.Count > 12 ? $"; and {problems.Count - 12} more" : "")}");
        return wanted.Keys.ToDictionary(name => name, name => checkpoint[prefix + name].to(dtype, device, copy: true).DetachFromDisposeScope());
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
