using System.Text.Json.Nodes;

namespace Ssti.Nets.Models;

/// <summary>Layer-wise scaling (Mehta et al. 2021), with the roundings of OpenELM's configuration_openelm.py: on them hang the shapes of the published weights.</summary>
internal static class LayerWise
{
    /// <summary>A share for each layer: one for all, from the first to the second in even steps, or one a layer.</summary>
    public static IEnumerable<double> Spread(IReadOnlyList<double> given, int layers) => given switch
    {
        [var all] => Enumerable.Repeat(all, layers),
        // To two places, half to even, as numpy rounds.
        [var first, var last] => Enumerable.Range(0, layers).Select(layer => Math.Round(layers == 1 ? first : first + (layer * ((last - first) / (layers - 1))), 2)),
        _ => given,
    };

    /// <summary>The nearest multiple of a divisor, at least one of it, and no more than a tenth below.</summary>
    public static int Divisible(double value, int divisor)
    {
        var rounded = Math.Max(divisor, (int)(value + (divisor / 2.0)) / divisor * divisor);
        return rounded < 0.9 * value ? rounded + divisor : rounded;
    }

    /// <summary>Refuses a list beside the multipliers that says otherwise.</summary>
    public static void RequireAgreement(ConfigFile file, string key, IReadOnlyList<int> computed)
    {
        if (file[key] is not JsonArray said) return;
        var given = string.Join(", ", said.Select(value => JsonFile.Text(value)));
        var here = string.Join(", ", computed);
        if (given != here) throw file.Fault(key, $"is {given}, and the multipliers give {here}");
    }
}
