using Ssti.Nets.Safetensors;

namespace Ssti.Nets.Models;

/// <summary>Where an encoder's tensors are among those of a checkpoint, told by names and shapes alone.</summary>
/// <param name="Names">From each name of <see cref="TrunkConfig.Tensors"/> to the checkpoint's.</param>
/// <param name="Prefix">What stands before the encoder's names there, such as <c>bert.</c>; often nothing.</param>
/// <param name="LeftOut">The checkpoint's other tensors: heads of other tasks, the pooler, buffers.</param>
public sealed record EncoderTensors(IReadOnlyDictionary<string, string> Names, string Prefix, IReadOnlyList<string> LeftOut)
{
    /// <summary>
    /// Finds the encoder, whatever stands before its names, and LayerNorm's weight and bias also under their first names, gamma and beta. Strict about the
    /// encoder's own names: those that are missing, unexpected or of another shape are listed and refused; what is outside of it is left out.
    /// </summary>
    /// <param name="config">The shape.</param>
    /// <param name="checkpoint">The checkpoint's tensors: names and shapes.</param>
    /// <exception cref="ModelException">The checkpoint does not fit the shape.</exception>
    public static EncoderTensors In(TrunkConfig config, IReadOnlyDictionary<string, IReadOnlyList<long>> checkpoint)
    {
        if (config.Layers > checkpoint.Count)
            throw new ModelException($"the weights do not fit config.json: it says {config.Layers} layers, and there are {checkpoint.Count} tensors");
        var prefix = PrefixIn(config, checkpoint.Keys);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var (name, shape) in config.Tensors())
        {
            var found = config.Spellings(name).Select(spelling => prefix + spelling).FirstOrDefault(checkpoint.ContainsKey);
            if (found is null) problems.Add($"missing: {prefix}{name}");
            else if (!checkpoint[found].SequenceEqual(shape))
                problems.Add($"wrong shape: {found} is [{string.Join(", ", checkpoint[found])}], and config.json says [{string.Join(", ", shape)}]");
            else names.Add(name, found);
        }

        var taken = names.Values.ToHashSet(StringComparer.Ordinal);
        var leftOut = new List<string>();
        foreach (var name in checkpoint.Keys.Where(name => !taken.Contains(name)).Order(StringComparer.Ordinal))
        {
            if (!Inside(config, name, prefix)) leftOut.Add(name);
            else if (!problems.Any(problem => problem.StartsWith($"wrong shape: {name} ", StringComparison.Ordinal))) problems.Add($"unexpected: {name}");
        }

        var more = problems.Count > 12 ? $"; and {problems.Count - 12} more" : "";
        if (problems.Count > 0) throw new ModelException($"the weights do not fit config.json: {string.Join("; ", problems.Take(12))}{more}");
        return new EncoderTensors(names, prefix, leftOut);
    }

    /// <summary>Finds the encoder in a model's files, and refuses weights that are no numbers of floating point.</summary>
    /// <exception cref="ModelException">The weights do not fit the shape; names the model.</exception>
    public static EncoderTensors In(TrunkConfig config, ModelWeights weights)
    {
        try
        {
            var found = In(config, weights.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal));
            foreach (var tensor in found.Names.Values.Select(name => weights.Tensors[name]).Where(tensor => !tensor.IsFloat))
            {
                throw new ModelException(
                    $"{tensor.File}: the weight '{tensor.Name}' is {tensor.Type}, and weights must be F32, F16, BF16 or F64; "
                    + "a quantised model must be taken in its original precision");
            }

            return found;
        }
        catch (ModelException e)
        {
            throw new ModelException($"{weights.Title}: {e.Message}", e);
        }
    }

    private static bool Inside(TrunkConfig config, string name, string prefix)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return false;
        var bare = name[prefix.Length..];
        return config.Roots.Any(root => bare.StartsWith(root, StringComparison.Ordinal)) && !config.IsBuffer(bare);
    }

    private static string PrefixIn(TrunkConfig config, IEnumerable<string> names)
    {
        var prefixes = names
            .Where(name => name == config.Words || name.EndsWith("." + config.Words, StringComparison.Ordinal))
            .Select(name => name[..^config.Words.Length]).Order(StringComparer.Ordinal).ToArray();
        return prefixes.Length > 1
            ? throw new ModelException(
                $"the weights hold {prefixes.Length} encoders, under {string.Join(" and ", prefixes.Select(prefix => $"'{prefix}'"))}; save the one that is meant alone")
            : prefixes.FirstOrDefault("");
    }
}
