using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Lora;

/// <summary>
/// A LoRA adapter (Hu et al. 2021) of a trunk: for each adapted linear A [rank, in] and B [out, rank], and with DoRA a magnitude [out], named as PEFT names them.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    internal const string SuffixA = ".lora_A.weight";
    internal const string SuffixB = ".lora_B.weight";
    internal const string SuffixMagnitude = ".lora_magnitude_vector";

    private LoraAdapter(LoraConfig config, IReadOnlyList<LinearShape> targets, ParameterBank parameters) =>
        (Config, Targets, Parameters) = (config, targets, parameters);

    /// <summary>The settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>The adapted linears.</summary>
    public IReadOnlyList<LinearShape> Targets { get; }

    /// <summary>What is trained.</summary>
    public ParameterBank Parameters { get; }

    /// <summary>
    /// A new adapter as PEFT initialises it: A uniform within ±1/√in (kaiming_uniform with a = √5), B zero, so that the model
    /// starts as it was; magnitudes are the row norms of the frozen weights.
    /// </summary>
    public static LoraAdapter Create(LoraConfig config, Trunk trunk, RandomStream random)
    {
        using var scope = NewDisposeScope();
        var targets = config.TargetsOf(trunk);
        var initial = new Dictionary<string, Tensor>();
        foreach (var linear in targets)
        {
            var bound = 1 / Math.Sqrt(linear.In);
            initial.Add(linear.Name + SuffixA, random.Uniform(-bound, bound, config.Of(linear.Name).Rank, linear.In));
            initial.Add(linear.Name + SuffixB, zeros(linear.Out, config.Of(linear.Name).Rank));
            if (config.UseDora) initial.Add(linear.Name + SuffixMagnitude, RowNorm(trunk.WeightOf(linear.Name).to(ScalarType.Float32)));
        }

        return new LoraAdapter(config, targets, new ParameterBank(initial, trunk.Device));
    }

    /// <summary>An adapter of saved tensors. Strict: every target has its tensors in the right shapes, and there are no others.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="trunk">The trunk it was trained on.</param>
    /// <param name="tensors">By PEFT's names without <c>base_model.model.</c>, such as <c>encoder.layer.0.output.dense.lora_A.weight</c>.</param>
    /// <exception cref="ModelException">The tensors do not fit.</exception>
    public static LoraAdapter Load(LoraConfig config, Trunk trunk, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var targets = config.TargetsOf(trunk);
        var wanted = targets.SelectMany(linear => Shapes(linear, config)).ToDictionary(pair => pair.Name, pair => pair.Shape);
        var problems = wanted
            .Where(pair => !tensors.TryGetValue(pair.Key, out var tensor) || !tensor.shape.SequenceEqual(pair.Value))
            .Select(pair => tensors.TryGetValue(pair.Key, out var tensor)
                ? $"wrong shape: {pair.Key} is [{string.Join(", ", tensor.shape)}] and must be [{string.Join(", ", pair.Value)}]"
                : $"missing: {pair.Key} [{string.Join(", ", pair.Value)}]")
            .Concat(tensors.Keys.Where(name => !wanted.ContainsKey(name)).Select(name => $"unexpected: {name}"))
            .ToArray();
        var more = problems.Length > 8 ? $"; and {problems.Length - 8} more" : "";
        if (problems.Length > 0) throw new ModelException($"the adapter does not fit the model: {string.Join("; ", problems.Take(8))}{more}");
        return new LoraAdapter(config, targets, new ParameterBank(wanted.Keys.ToDictionary(name => name, name => tensors[name]), trunk.Device));
    }

    /// <summary>The adapter's matrices for one pass, in the trunk's precision; of the caller's dispose scope.</summary>
    public LoraStep Begin(ScalarType dtype)
    {
        var views = Parameters.Views(dtype);
        return new LoraStep(Config, Targets.ToDictionary(
            linear => linear.Name,
            linear => new LoraStep.Matrices(
                views[linear.Name + SuffixA], views[linear.Name + SuffixB], Config.UseDora ? views[linear.Name + SuffixMagnitude] : null, Config.Of(linear.Name).Scaling)));
    }

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    /// <summary>The norm of each output row of a weight, [out].</summary>
    internal static Tensor RowNorm(Tensor weight) => weight.mul(weight).sum(1).sqrt_();

    /// <summary>How many numbers an adapter of these linears has: in the matrices, and in DoRA's magnitudes.</summary>
    public static (long Matrices, long Magnitudes) Count(LoraConfig config, IEnumerable<LinearShape> targets)
    {
        var counts = targets.SelectMany(linear => Shapes(linear, config))
            .ToLookup(tensor => tensor.Name.EndsWith(SuffixMagnitude, StringComparison.Ordinal), tensor => tensor.Shape.Aggregate(1L, (product, width) => product * width));
        return (counts[false].Sum(), counts[true].Sum());
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(LinearShape linear, LoraConfig config)
    {
        yield return (linear.Name + SuffixA, [config.Of(linear.Name).Rank, linear.In]);
        yield return (linear.Name + SuffixB, [linear.Out, config.Of(linear.Name).Rank]);
        if (config.UseDora) yield return (linear.Name + SuffixMagnitude, [linear.Out]);
    }
}
