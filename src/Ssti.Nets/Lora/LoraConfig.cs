using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Ssti.Nets.Models;

namespace Ssti.Nets.Lora;

/// <summary>How the matrices begin: PEFT's init_lora_weights.</summary>
public enum LoraStart
{
    /// <summary>true: A uniform within ±1/√in (kaiming_uniform with a = √5), B zero.</summary>
    Kaiming,

    /// <summary>gaussian: A normal with deviation 1 / rank, B zero.</summary>
    Gaussian,

    /// <summary>false: both as nn.Linear begins, A within ±1/√in and B within ±1/√rank: the model starts changed, which is for tests.</summary>
    Random,
}

/// <summary>Which biases of the model are trained as well.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>Every bias of the model, norms' included.</summary>
    All,

    /// <summary>Those of the adapted linears.</summary>
    LoraOnly,
}

/// <summary>A number for the modules that a pattern matches, as rank_pattern and alpha_pattern have them; the first that matches counts.</summary>
/// <param name="Modules">A regular expression for a module's name, or for its end after a dot.</param>
/// <param name="Value">The rank, or the alpha.</param>
public sealed record LoraPattern(string Modules, double Value);

/// <summary>What an adapter is, in PEFT's words.</summary>
/// <param name="Rank">r: the inner width of A and B.</param>
/// <param name="Alpha">lora_alpha: the product is scaled by alpha / rank.</param>
/// <param name="Dropout">lora_dropout: of A's input, in training.</param>
/// <param name="TargetModules">Names that a linear's name must equal or end with after a dot; <c>all-linear</c> alone for every linear.</param>
/// <param name="UseDora">use_dora: train each output row's magnitude apart from its direction (Liu et al. 2024).</param>
public sealed record LoraConfig(int Rank, double Alpha, double Dropout, IReadOnlyList<string> TargetModules, bool UseDora = false)
{
    /// <summary>A regular expression that a linear's whole name must match, instead of <see cref="TargetModules"/>; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TargetPattern { get; init; }

    /// <summary>rank_pattern; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LoraPattern>? RankPattern { get; init; }

    /// <summary>alpha_pattern; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LoraPattern>? AlphaPattern { get; init; }

    /// <summary>use_rslora: scale by alpha / √rank (Kalajdzievski 2023).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RankStabilized { get; init; }

    /// <summary>init_lora_weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public LoraStart Start { get; init; }

    /// <summary>bias.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public LoraBias Bias { get; init; }

    /// <summary>modules_to_save, as far as they are the trunk's: modules that are trained whole, by the ends of their names; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>The trunk's tensors that were trained whole, by name, where an adapter that was read says so; null for what the settings above say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Whole { get; init; }

    /// <summary>Linears with a rank or a scale of their own, by name; null when there are none.</summary>
    public IReadOnlyDictionary<string, LoraScale>? Own { get; init; }

    /// <summary>alpha / rank (with rslora alpha / √rank), where a linear has nothing of its own.</summary>
    public double Scaling => Scaled(Alpha, Rank);

    /// <summary>The rank of a linear and what its product is scaled by.</summary>
    public LoraScale Of(string linear)
    {
        if (Own?.GetValueOrDefault(linear) is { } own) return own;
        if (RankPattern is null && AlphaPattern is null) return new LoraScale(Rank, Scaling);
        var rank = (int?)First(RankPattern, linear) ?? Rank;
        return new LoraScale(rank, Scaled(First(AlphaPattern, linear) ?? Alpha, rank));
    }

    /// <summary>The linears of a trunk that are adapted.</summary>
    /// <exception cref="ModelException">No linear matches, or a pattern cannot be read.</exception>
    public IReadOnlyList<LinearShape> TargetsOf(Trunk trunk) => TargetsOf(trunk.Linears);

    /// <summary>Those of a model's linears that are adapted.</summary>
    /// <exception cref="ModelException">No linear matches, or a pattern cannot be read.</exception>
    public IReadOnlyList<LinearShape> TargetsOf(IReadOnlyList<LinearShape> linears)
    {
        var targets = linears.Where(linear => Matches(linear.Name)).ToArray();
        if (targets.Length > 0) return targets;
        var known = linears.Select(linear => linear.Name[(linear.Name.LastIndexOf('.') + 1)..]).Distinct();
        var asked = TargetPattern is { } pattern ? $"matches '{pattern}' in the whole of its name, such as '{linears[0].Name}'"
            : $"ends with {string.Join(", ", TargetModules.Select(name => $"'{name}'"))}";
        throw new ModelException($"no linear of the model {asked}; it has: {string.Join(", ", known)}");
    }

    /// <summary>The tensors of a model's trunk that are trained whole: of modules to save, and biases. In the trunk's order.</summary>
    /// <exception cref="ModelException">A module to save is none of the trunk's, or there is no bias to train.</exception>
    public IReadOnlyList<string> WholeOf(TrunkConfig model)
    {
        if (Whole is not null) return Whole;
        if (ModulesToSave is null && Bias == LoraBias.None) return [];
        var names = model.Tensors().Select(tensor => tensor.Name).ToArray();
        if (ModulesToSave?.FirstOrDefault(module => !names.Any(name => IsOf(module, name))) is { } unknown)
        {
            var modules = names.Select(name => name.Split('.')[^2]).Distinct();
            throw new ModelException($"modules to save: no module of the model has a name that ends with '{unknown}'; it has: {string.Join(", ", modules)}");
        }

        var targets = Bias == LoraBias.LoraOnly ? TargetsOf([.. model.Linears()]).Select(linear => linear.Name + ".bias").ToHashSet() : [];
        bool Trained(string name) => Bias == LoraBias.All ? name.EndsWith(".bias", StringComparison.Ordinal) : targets.Contains(name);
        if (Bias != LoraBias.None && !names.Any(Trained)) throw new ModelException($"a {model.Family}'s linears have no biases to train; leave bias out");
        return [.. names.Where(name => Trained(name) || ModulesToSave?.Any(module => IsOf(module, name)) == true)];
    }

    /// <summary>The target modules that none of a model's linears is named by.</summary>
    public IReadOnlyList<string> Unmatched(IReadOnlyList<LinearShape> linears) => TargetPattern is not null || IsAll ? []
        : [.. TargetModules.Where(name => !linears.Any(linear => PeftNames.Named(name, linear.Name)))];

    /// <summary>The patterns of ranks and alphas that match none of some adapted linears, and so say nothing.</summary>
    /// <exception cref="ModelException">A pattern cannot be read.</exception>
    public IReadOnlyList<string> UnmatchedPatterns(IReadOnlyList<LinearShape> targets) => Reading<IReadOnlyList<string>>(() =>
        [.. (RankPattern ?? []).Concat(AlphaPattern ?? []).Select(pattern => pattern.Modules).Distinct()
            .Where(pattern => !targets.Any(linear => PeftNames.Key(pattern, linear.Name)))]);

    private bool IsAll => TargetModules is [PeftNames.AllLinear];

    /// <summary>Whether a tensor is of a module whose name ends with a name, or inside of one: as PEFT finds modules to save, dot or not.</summary>
    internal static bool IsOf(string module, string tensor)
    {
        for (var dot = tensor.IndexOf('.'); dot >= 0; dot = tensor.IndexOf('.', dot + 1))
            if (tensor.AsSpan(0, dot).EndsWith(module, StringComparison.Ordinal)) return true;
        return false;
    }

    private static double? First(IReadOnlyList<LoraPattern>? patterns, string linear) =>
        Reading(() => patterns?.FirstOrDefault(pattern => PeftNames.Key(pattern.Modules, linear))?.Value);

    private static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is RegexParseException or FormatException)
        {
            throw new ModelException($"a pattern of the adapter cannot be used: {e.Message}", e);
        }
    }

    private double Scaled(double alpha, int rank) => RankStabilized ? alpha / Math.Sqrt(rank) : alpha / rank;

    private bool Matches(string linear)
    {
        // What is saved whole gets no adapter beside.
        if (ModulesToSave?.Any(module => IsOf(module, linear + ".weight")) == true) return false;
        if (TargetPattern is { } pattern) return Reading(() => PeftNames.Whole(pattern, linear));
        return IsAll || TargetModules.Any(name => PeftNames.Named(name, linear));
    }
}

/// <summary>What one linear's adapter is.</summary>
/// <param name="Rank">The inner width of A and B.</param>
/// <param name="Scaling">What their product is scaled by.</param>
public sealed record LoraScale(int Rank, double Scaling);
