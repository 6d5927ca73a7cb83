using Ssti.Nets.Lora;

namespace Ssti.Defenses.Adapters;

/// <summary>What the weights of an adapter say without a model: each module, and the modules' means and spreads.</summary>
/// <param name="Modules">The modules, in ordinal order of names.</param>
public sealed record AdapterSpectrum(IReadOnlyList<ModuleSpectrum> Modules)
{
    /// <summary>The numbers that are read of a module, by name, with what they say.</summary>
    public static IReadOnlyList<SpectralNumber> Numbers { get; } =
    [
        new("size", "number", "‖ΔW‖_F / √(in·out), the root mean square of the entries of ΔW = (alpha / rank)·B·A", module => module.Size),
        new("leading", "number", "the largest singular value of ΔW", module => module.Leading),
        new("concentration", "fraction", "share of ΔW's energy (sum of squared singular values) in its leading direction", module => module.Concentration),
        new("entropy", "bits", "spectral entropy −Σ p log2 p of ΔW, p the directions' shares of the energy", module => module.Entropy),
        new("kurtosis", "number", "excess kurtosis of the entries of ΔW", module => module.Kurtosis),
    ];

    /// <summary>The names of <see cref="Features"/>, in their order.</summary>
    public static IReadOnlyList<string> FeatureNames { get; } = [.. Numbers.SelectMany(number => new[] { $"{number.Name}_mean", $"{number.Name}_spread" })];

    /// <summary>Whether the adapter changes nothing at all.</summary>
    public bool IsZero => Modules.All(module => module.Size == 0);

    /// <summary>Modules that the adapter leaves as they are.</summary>
    public int ZeroModules => Modules.Count(module => module.Size == 0);

    /// <summary>
    /// Of each number the mean over the modules that have it, and its standard deviation over them; null where too few have it.
    /// What a bank compares.
    /// </summary>
    public IReadOnlyList<double?> Features => [.. Numbers.SelectMany(number => new[] { Mean(number), Spread(number) })];

    /// <summary>Measures every module of an adapter.</summary>
    /// <param name="updates">What it adds to each module.</param>
    /// <param name="done">Called with the modules done; null for nobody.</param>
    public static AdapterSpectrum Of(IReadOnlyList<LoraUpdate> updates, Action<int>? done = null)
    {
        var modules = new List<ModuleSpectrum>(updates.Count);
        foreach (var update in updates)
        {
            modules.Add(ModuleSpectrum.Of(update));
            done?.Invoke(modules.Count);
        }

        return new(modules);
    }

    /// <summary>The mean of a number over the modules that have it; null where none has.</summary>
    public double? Mean(SpectralNumber number) => Of(number) is { Length: > 0 } values ? values.Average() : null;

    /// <summary>The standard deviation (n − 1) of a number over the modules that have it; null where fewer than two have.</summary>
    public double? Spread(SpectralNumber number)
    {
        if (Of(number) is not { Length: > 1 } values) return null;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    private double[] Of(SpectralNumber number) => [.. Modules.Select(number.Of).OfType<double>()];
}

/// <summary>A number that is read of a module's update.</summary>
/// <param name="Name">Its name for programs.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Definition">What it says, without a full stop.</param>
/// <param name="Of">Reads it; null where it has no meaning.</param>
public sealed record SpectralNumber(string Name, string Unit, string Definition, Func<ModuleSpectrum, double?> Of);
