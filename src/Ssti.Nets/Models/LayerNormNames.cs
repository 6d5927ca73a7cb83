namespace Ssti.Nets.Models;

/// <summary>LayerNorm's weight and bias, also under their first names.</summary>
internal static class LayerNormNames
{
    /// <summary>The names a tensor may have in a checkpoint: gamma and beta in those made from TensorFlow's.</summary>
    public static IEnumerable<string> Of(string name)
    {
        yield return name;
        if (name.EndsWith("LayerNorm.weight", StringComparison.Ordinal)) yield return name[..^"weight".Length] + "gamma";
        if (name.EndsWith("LayerNorm.bias", StringComparison.Ordinal)) yield return name[..^"bias".Length] + "beta";
    }
}
