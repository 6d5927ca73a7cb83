using System.Globalization;
using Ssti.Nets.Optimizers;
using Ssti.Nets.Safetensors;
using static TorchSharp.torch;

namespace Ssti.Training;

/// <summary>
/// The state of a training in one file of a scratch folder: masters, moments, updates done and the log so far. Written beside its place and renamed:
/// a kill leaves the one before.
/// </summary>
/// <remarks>Neither data order nor dropouts need state of their own: both are functions of seed and update.</remarks>
internal sealed class Checkpoint(string? folder, IReadOnlyList<(ParameterBank Bank, IOptimizer Optimizer)> trained)
{
    private readonly string? _path = folder is null ? null : Path.Combine(folder, "checkpoint.safetensors");

    /// <summary>Saves, when there is a folder to save in.</summary>
    public void Save(int step, StepLog log)
    {
        if (_path is null) return;
        SafetensorsFile.Write(_path, State(), new Dictionary<string, string>
        {
            ["step"] = step.ToString(CultureInfo.InvariantCulture),
            ["log"] = log.Lines(),
        });
    }

    /// <summary>Takes over what an earlier attempt saved; returns the updates done, 0 without a checkpoint.</summary>
    public int Restore(StepLog log)
    {
        if (_path is null || !File.Exists(_path)) return 0;
        using var saved = SafetensorsFile.Read(_path);
        var step = int.Parse(saved.Metadata["step"], CultureInfo.InvariantCulture);
        for (var i = 0; i < trained.Count; i++)
        {
            trained[i].Bank.Load(Part(saved.Tensors, i));
            trained[i].Optimizer.Load(Part(saved.Tensors, i), step);
        }

        log.Restore(saved.Metadata["log"]);
        return step;
    }

    private Dictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>();
        for (var i = 0; i < trained.Count; i++)
        {
            foreach (var (name, tensor) in trained[i].Bank.State().Concat(trained[i].Optimizer.State())) state.Add($"{i}.{name}", tensor);
        }

        return state;
    }

    private static Dictionary<string, Tensor> Part(IReadOnlyDictionary<string, Tensor> all, int i) =>
        all.Where(pair => pair.Key.StartsWith($"{i}.", StringComparison.Ordinal)).ToDictionary(pair => pair.Key[(pair.Key.IndexOf('.') + 1)..], pair => pair.Value);
}
