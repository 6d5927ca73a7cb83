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

    private LoraAdapter(LoraConfig config, IReadOnlyList<LinearShape> targets, IReadOnlyList<string> whole, ParameterBank parameters) =>
        (Config, Targets, Whole, Parameters) = (config, targets, whole, parameters);

    /// <summary>The settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>The adapted linears.</summary>
    public IReadOnlyList<LinearShape> Targets { get; }

    /// <summary>The trunk's tensors that are trained whole: biases, and those of modules to save.</summary>
    public IReadOnlyList<string> Whole { get; }

    /// <summary>What is trained.</summary>
    public ParameterBank Parameters { get; }

    /// <summary>A new adapter as PEFT initialises it, see <see cref="LoraStart"/>; magnitudes are the row norms of the weights as they start.</summary>
    /// <exception cref="ModelException">No linear is named, or what is to be trained whole is not there.</exception>
    public static LoraAdapter Create(LoraConfig config, Trunk trunk, RandomStream random)
    {
        using var scope = NewDisposeScope();
        var targets = config.TargetsOf(trunk);
        var initial = new Dictionary<string, Tensor>();
        foreach (var linear in targets)
        {
            var (rank, scaling) = config.Of(linear.Name);
            var (bound, narrow) = (1 / Math.Sqrt(linear.In), 1 / Math.Sqrt(rank));
            var a = config.Start == LoraStart.Gaussian ? random.Normal(1.0 / rank, rank, linear.In) : random.Uniform(-bound, bound, rank, linear.In);
            var b = config.Start == LoraStart.Random ? random.Uniform(-narrow, narrow, linear.Out, rank) : zeros(linear.Out, rank);
            initial.Add(linear.Name + SuffixA, a);
            initial.Add(linear.Name + SuffixB, b);
            if (!config.UseDora) continue;
            var weight = trunk.WeightOf(linear.Name).to(ScalarType.Float32);
            initial.Add(linear.Name + SuffixMagnitude, RowNorm(
                config.Start == LoraStart.Random ? weight.add(matmul(b, a).to(weight.device).mul(Scalars.Kept(scaling)), Scalars.One) : weight));
        }

        var whole = config.WholeOf(trunk.Config);
        foreach (var name in whole) initial.Add(name, trunk.Named(name).to(ScalarType.Float32));
        return new LoraAdapter(config, targets, whole, new ParameterBank(initial, trunk.Device));
    }

    /// <summary>An adapter of saved tensors. Strict: every target has its tensors in the right shapes, and there are no others.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="trunk">The trunk it was trained on.</param>
    /// <param name="tensors">By PEFT's names without <c>base_model.model.</c>, such as <c>encoder.layer.0.output.dense.lora_A.weight</c>.</param>
    /// <exception cref="ModelException">The tensors do not fit.</exception>
    public static LoraAdapter Load(LoraConfig config, Trunk trunk, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var targets = config.TargetsOf(trunk);
        var whole = config.WholeOf(trunk.Config);
        var wanted = targets.SelectMany(linear => Shapes(linear, config)).Concat(whole.Select(name => (Name: name, Shape: trunk.Named(name).shape)))
            .ToDictionary(pair => pair.Name, pair => pair.Shape);
        var problems = wanted
            .Where(pair => !tensors.TryGetValue(pair.Key, out var tensor) || !tensor.shape.SequenceEqual(pair.Value))
            .Select(pair => tensors.TryGetValue(pair.Key, out var tensor)
                ? $"wrong shape: {pair.Key} is [{string.Join(", ", tensor.shape)}] and must be [{string.Join(", ", pair.Value)}]"
                : $"missing: {pair.Key} [{string.Join(", ", pair.Value)}]")
            .Concat(tensors.Keys.Where(name => !wanted.ContainsKey(name)).Select(name => $"unexpected: {name}"))
            .ToArray();
        var more = problems.Length > 8 ? $"; and {problems.Length - 8} more" : "";
        if (problems.Length > 0) throw new ModelException($"the adapter does not fit the model: {string.Join("; ", problems.Take(8))}{more}");
        return new LoraAdapter(config, targets, whole, new ParameterBank(wanted.Keys.ToDictionary(name => name, name => tensors[name]), trunk.Device));
    }

    /// <summary>The adapter's matrices for one pass, in the trunk's precision; of the caller's dispose scope.</summary>
    public LoraStep Begin(ScalarType dtype)
    {
        var views = Parameters.Views(dtype);
        return new LoraStep(Config, Targets.ToDictionary(
            linear => linear.Name,
            linear => new LoraStep.Matrices(
                views[linear.Name + SuffixA], views[linear.Name + SuffixB], Config.UseDora ? views[linear.Name + SuffixMagnitude] : null, Config.Of(linear.Name).Scaling)),
            Whole.ToDictionary(name => name, name => views[name]));
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
