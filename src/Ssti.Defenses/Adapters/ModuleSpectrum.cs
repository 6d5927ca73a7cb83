using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Defenses.Adapters;

/// <summary>What the weights of an adapter say of one module, of ΔW = (alpha / rank) · B·A.</summary>
/// <param name="Module">The module's name.</param>
/// <param name="Rank">Inner width of A and B.</param>
/// <param name="In">Width of the input.</param>
/// <param name="Out">Width of the output.</param>
/// <param name="Size">‖ΔW‖_F / √(in·out): the root mean square of its entries. 0 where the adapter changes nothing here.</param>
/// <param name="Leading">The largest singular value.</param>
/// <param name="Concentration">Share of the energy (sum of squared singular values) in the leading direction; null where ΔW is zero.</param>
/// <param name="Entropy">Spectral entropy −Σ p log2 p in bits, p the shares of energy of the directions: 0 where one has it all; null where ΔW is zero.</param>
/// <param name="Kurtosis">Excess kurtosis of the entries of ΔW (0 for a normal distribution); null where they are all equal.</param>
/// <param name="Values">The singular values, in falling order.</param>
public sealed record ModuleSpectrum(
    string Module, int Rank, long In, long Out, double Size, double Leading, double? Concentration, double? Entropy, double? Kurtosis, IReadOnlyList<double> Values)
{
    // Entries of ΔW that are written out at once: 16 MB.
    private const long Block = 1L << 21;

    // Below this share of their mean square, entries differ by rounding alone.
    private const double Rounding = 1e-20;

    /// <summary>Measures an update.</summary>
    public static ModuleSpectrum Of(LoraUpdate update)
    {
        var values = UpdateSvd.ValuesOf(update);
        var energy = values.Sum(value => value * value);
        var size = Math.Sqrt(energy / update.In / update.Out);
        if (!double.IsFinite(size)) throw new DefenseException($"'{update.Module}': ΔW is too large for double precision; the adapter is damaged");
        if (energy == 0) return new(update.Module, update.Rank, update.In, update.Out, 0, 0, null, null, null, values);
        var shares = values.Select(value => value * value / energy).Where(share => share > 0).ToArray();
        var entropy = Math.Max(0, -shares.Sum(share => share * Math.Log2(share)));
        return new(update.Module, update.Rank, update.In, update.Out, size, values[0], shares[0], entropy, KurtosisOf(update), values);
    }

    // m4 / m2² − 3 with moments over all entries, as scipy.stats.kurtosis gives it. Entries are written out by blocks of rows.
    private static double? KurtosisOf(LoraUpdate update)
    {
        using var scope = NewDisposeScope();
        var (a, b) = UpdateSvd.Matrices(update);
        var rows = Math.Max(1, Block / update.In);
        double first = 0, second = 0, third = 0, fourth = 0;
        for (var at = 0L; at < update.Out; at += rows)
        {
            using var inner = NewDisposeScope();
            var entries = matmul(b.narrow(0, at, Math.Min(rows, update.Out - at)), a);
            var squares = entries.mul(entries);
            first += entries.sum().item<double>();
            second += squares.sum().item<double>();
            third += squares.mul(entries).sum().item<double>();
            fourth += squares.mul(squares).sum().item<double>();
        }

        var count = (double)update.In * update.Out;
        var (mean, e2, e3, e4) = (first / count, second / count, third / count, fourth / count);
        var variance = e2 - (mean * mean);
        if (!(variance > Rounding * e2)) return null;
        return ((e4 - (4 * mean * e3) + (6 * mean * mean * e2) - (3 * Math.Pow(mean, 4))) / (variance * variance)) - 3;
    }
}
