using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Lora;

/// <summary>
/// What an adapter adds to one module's weight, ΔW = scaling · B·A, as it stands in PEFT's files: no model is needed, and any architecture will do.
/// </summary>
/// <param name="Module">The module's name in the model that PEFT wraps, such as <c>encoder.layer.0.output.dense</c>.</param>
/// <param name="A">[rank, in]; the adapter's own.</param>
/// <param name="B">[out, rank]; the adapter's own.</param>
/// <param name="Scaling">alpha / rank, or what the settings say in its place.</param>
public sealed record LoraUpdate(string Module, Tensor A, Tensor B, double Scaling)
{
    /// <summary>The inner width of A and B.</summary>
    public int Rank => (int)A.shape[0];

    /// <summary>Width of the module's input.</summary>
    public long In => A.shape[1];

    /// <summary>Width of the module's output.</summary>
    public long Out => B.shape[0];

    /// <summary>Every module that an adapter changes by LoRA, in ordinal order of names.</summary>
    /// <param name="peft">The adapter; its tensors stay its own.</param>
    /// <exception cref="ModelException">
    /// The settings cannot be read; a matrix is missing, of another shape than they say, or holds what is no finite number; or there is none.
    /// </exception>
    public static IReadOnlyList<LoraUpdate> Of(PeftAdapter peft)
    {
        var settings = peft.Settings();
        var updates = new List<LoraUpdate>();
        foreach (var name in peft.Tensors.Keys.Order(StringComparer.Ordinal))
        {
            if (name.Contains(".lora_embedding_", StringComparison.Ordinal))
                throw new ModelException($"{PeftAdapter.TensorFile}: '{name}' is LoRA of an embedding, which is not offered here");
            if (name.EndsWith(LoraAdapter.SuffixB, StringComparison.Ordinal) && !peft.Tensors.ContainsKey(Other(name, LoraAdapter.SuffixB, LoraAdapter.SuffixA)))
                throw new ModelException($"{PeftAdapter.TensorFile}: '{name}' has no A beside it; the file is damaged, or of another kind of adapter");
            if (!name.EndsWith(LoraAdapter.SuffixA, StringComparison.Ordinal)) continue;
            var path = name[..^LoraAdapter.SuffixA.Length];
            var module = path.StartsWith(PeftAdapter.Prefix, StringComparison.Ordinal) ? path[PeftAdapter.Prefix.Length..] : path;
            var b = peft.Tensors.GetValueOrDefault(path + LoraAdapter.SuffixB)
                ?? throw new ModelException($"{PeftAdapter.TensorFile}: '{name}' has no B beside it; the file is damaged, or of another kind of adapter");
            var (rank, scaling) = settings.Of(module);
            Require(name, peft.Tensors[name], shape => shape.Length == 2 && shape[0] == rank, $"[{rank}, in]");
            Require(path + LoraAdapter.SuffixB, b, shape => shape.Length == 2 && shape[1] == rank, $"[out, {rank}]");
            updates.Add(new LoraUpdate(module, peft.Tensors[name], b, scaling));
        }

        return updates.Count > 0 ? updates : throw new ModelException($"{PeftAdapter.TensorFile} holds no LoRA matrices (lora_A, lora_B): there is nothing to look at");
    }

    /// <summary>
    /// What an adapter holds beside LoRA's matrices, by name: modules that were saved whole, biases that were trained, DoRA's magnitudes. They change the
    /// model as well, and ΔW says nothing of them.
    /// </summary>
    /// <param name="peft">The adapter.</param>
    /// <exception cref="ModelException">One holds what is no finite number.</exception>
    public static IReadOnlyList<string> Beside(PeftAdapter peft)
    {
        var names = new List<string>();
        foreach (var (name, tensor) in peft.Tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            // PEFT keeps the base's own beside a module that it saves.
            if (name.EndsWith(LoraAdapter.SuffixA, StringComparison.Ordinal) || name.EndsWith(LoraAdapter.SuffixB, StringComparison.Ordinal)
                || name.Contains(".original_module.", StringComparison.Ordinal)) continue;
            if (tensor.is_floating_point()) RequireFinite(name, tensor);
            names.Add(name.StartsWith(PeftAdapter.Prefix, StringComparison.Ordinal) ? name[PeftAdapter.Prefix.Length..] : name);
        }

        return names;
    }

    private static string Other(string name, string from, string to) => name[..^from.Length] + to;

    private static void Require(string name, Tensor tensor, Func<long[], bool> fits, string wanted)
    {
        var title = $"{PeftAdapter.TensorFile}: '{name}'";
        if (!fits(tensor.shape) || tensor.shape.Contains(0))
            throw new ModelException($"{title} is [{string.Join(", ", tensor.shape)}], and {PeftAdapter.ConfigFile} wants {wanted}; the two are not of one adapter");
        if (!tensor.is_floating_point())
            throw new ModelException($"{title} is {tensor.dtype}, and weights must be F32, F16, BF16 or F64; take the adapter in its original precision");
        RequireFinite(name, tensor);
    }

    private static void RequireFinite(string name, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        if (!isfinite(tensor).all().item<bool>())
            throw new ModelException($"{PeftAdapter.TensorFile}: '{name}' has a value that is no finite number; its training had failed, or the file is damaged");
    }
}
