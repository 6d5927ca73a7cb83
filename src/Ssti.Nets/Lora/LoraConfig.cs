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
    /// <summary>alpha / rank.</summary>
    public double Scaling => Alpha / Rank;

    /// <summary>The linears of a trunk that are adapted.</summary>
    /// <exception cref="ModelException">No linear matches.</exception>
    public IReadOnlyList<LinearShape> TargetsOf(Trunk trunk)
    {
        var targets = trunk.Linears
            .Where(linear => TargetModules.Any(name => linear.Name == name || linear.Name.EndsWith($".{name}", StringComparison.Ordinal)))
            .ToArray();
        if (targets.Length > 0) return targets;
        var known = trunk.Linears.Select(linear => linear.Name[(linear.Name.LastIndexOf('.') + 1)..]).Distinct();
        throw new ModelException($"no linear of the model ends with {string.Join(", ", TargetModules.Select(name => $"'{name}'"))}; it has: {string.Join(", ", known)}");
    }
}
