using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Defenses.Cures;

/// <summary>
/// Keeps the top directions of what a trained adapter adds to each module, and drops the others (arXiv 2606.07596: it cuts what was learnt as a shortcut before what
/// was learnt of the task). The result is an adapter of PEFT's of that rank with a scaling of 1.
/// </summary>
/// <param name="Adapter">The truncated adapter; the caller disposes it.</param>
/// <param name="EnergyKept">Share of the energy (sum of squared singular values over all modules) that is kept; null where there was none.</param>
/// <param name="Rank">The rank of the result.</param>
public sealed record SvdTruncation(PeftAdapter Adapter, double? EnergyKept, int Rank)
{
    private const string Magnitude = ".lora_magnitude_vector";

    /// <summary>Truncates an adapter.</summary>
    /// <param name="peft">The adapter; it stays as it is.</param>
    /// <param name="keep">How many directions of each module are kept.</param>
    /// <exception cref="DefenseException">It is DoRA, or has no more directions than are to be kept.</exception>
    public static SvdTruncation Of(PeftAdapter peft, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        if (peft.Settings().UseDora || peft.Tensors.Keys.Any(name => name.EndsWith(Magnitude, StringComparison.Ordinal)))
            throw new DefenseException("the adapter is DoRA: its magnitudes carry what was learnt as well, and cutting directions leaves them; only plain LoRA can be truncated");
        var updates = LoraUpdate.Of(peft);
        var widest = updates.Max(update => (int)Math.Min(update.Rank, Math.Min(update.In, update.Out)));
        if (keep >= widest)
            throw new DefenseException($"keep is {keep}, and no module of the adapter has more than {widest} directions: nothing would be cut. Keep at most {widest - 1}");

        using var scope = NewDisposeScope();
        double kept = 0, all = 0;
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var update in updates)
        {
            var (u, values, vt) = UpdateSvd.Of(update);
            var here = (int)Math.Min(keep, values.shape[0]);
            var root = values.narrow(0, 0, here).sqrt();
            // A module with fewer directions gets rows and columns of zero: one rank for all, as the settings say.
            tensors[Name(peft, update, "A")] = Padded(vt.narrow(0, 0, here).mul(root.unsqueeze(1)), keep, 0);
            tensors[Name(peft, update, "B")] = Padded(u.narrow(1, 0, here).mul(root.unsqueeze(0)), keep, 1);
            var energies = values.data<double>().ToArray().Select(value => value * value).ToArray();
            kept += energies.Take(here).Sum();
            all += energies.Sum();
        }

        foreach (var (name, tensor) in peft.Tensors.Where(pair => !tensors.ContainsKey(pair.Key))) tensors[name] = tensor.clone();
        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        return new(new PeftAdapter(Settings(peft.Config, keep), tensors, peft.Metadata), all > 0 ? kept / all : null, keep);
    }

    private static string Name(PeftAdapter peft, LoraUpdate update, string matrix)
    {
        var end = $"{update.Module}.lora_{matrix}.weight";
        return peft.Tensors.Keys.Single(name => name == end || name == PeftAdapter.Prefix + end);
    }

    private static Tensor Padded(Tensor matrix, int width, int dimension)
    {
        var missing = width - matrix.shape[dimension];
        if (missing > 0)
        {
            long[] shape = dimension == 0 ? [missing, matrix.shape[1]] : [matrix.shape[0], missing];
            matrix = cat([matrix, zeros(shape, dtype: ScalarType.Float64)], dimension);
        }

        return matrix.to(ScalarType.Float32).contiguous();
    }

    // The scaling is in the matrices now, whatever it was made of.
    private static JsonObject Settings(JsonObject of, int rank)
    {
        var config = (JsonObject)of.DeepClone();
        config["r"] = rank;
        config["lora_alpha"] = rank;
        config["rank_pattern"] = new JsonObject();
        config["alpha_pattern"] = new JsonObject();
        config["use_rslora"] = false;
        return config;
    }
}
