using Ssti.Nets.Models;

namespace Ssti.Nets.Lora;

/// <summary>An adapter's settings, in PEFT's words.</summary>
/// <param name="Rank">r: the inner width of A and B.</param>
/// <param name="Alpha">lora_alpha: the product is scaled by alpha / rank.</param>
/// <param name="Dropout">lora_dropout: of A's input, in training.</param>
/// <param name="TargetModules">Names that a linear's name must equal or end with after a dot.</param>
/// <param name="UseDora">use_dora: train each output row's magnitude apart from its direction (Liu et al. 2024).</param>
public sealed record LoraConfig(int Rank, double Alpha, double Dropout, IReadOnlyList<string> TargetModules, bool UseDora = false)
{
    /// <summary>Linears with a rank or a scale of their own, by name; null when there are none.</summary>
    public IReadOnlyDictionary<string, LoraScale>? Own { get; init; }

    /// <summary>alpha / rank, where a linear has nothing of its own.</summary>
    public double Scaling => Alpha / Rank;

    /// <summary>The rank of a linear and what its product is scaled by.</summary>
    public LoraScale Of(string linear) => Own?.GetValueOrDefault(linear) ?? new LoraScale(Rank, Scaling);

    /// <summary>The linears of a trunk that are adapted.</summary>
    /// <exception cref="ModelException">No linear matches.</exception>
    public IReadOnlyList<LinearShape> TargetsOf(Trunk trunk) => TargetsOf(trunk.Linears);

    /// <summary>Those of a model's linears that are adapted.</summary>
    /// <exception cref="ModelException">No linear matches.</exception>
    public IReadOnlyList<LinearShape> TargetsOf(IReadOnlyList<LinearShape> linears)
    {
        var targets = linears.Where(linear => TargetModules.Any(name => Names(name, linear.Name))).ToArray();
        if (targets.Length > 0) return targets;
        var known = linears.Select(linear => linear.Name[(linear.Name.LastIndexOf('.') + 1)..]).Distinct();
        throw new ModelException($"no linear of the model ends with {string.Join(", ", TargetModules.Select(name => $"'{name}'"))}; it has: {string.Join(", ", known)}");
    }

    /// <summary>The target modules that no linear of a trunk is named by.</summary>
    public IReadOnlyList<string> Unmatched(Trunk trunk) => [.. TargetModules.Where(name => !trunk.Linears.Any(linear => Names(name, linear.Name)))];

    /// <summary>Whether a name, as PEFT takes one, names a module.</summary>
    internal static bool Names(string name, string module) => module == name || module.EndsWith($".{name}", StringComparison.Ordinal);
}

/// <summary>What one linear's adapter is.</summary>
/// <param name="Rank">The inner width of A and B.</param>
/// <param name="Scaling">What their product is scaled by.</param>
public sealed record LoraScale(int Rank, double Scaling);
