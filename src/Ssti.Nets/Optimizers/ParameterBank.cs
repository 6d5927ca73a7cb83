using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>
/// What is trained: named tensors kept as few large fp32 masters, one for each shape, stacked along a first dimension.
/// </summary>
/// <remarks>
/// A step over 36 small matrices in managed code costs more in calls than in arithmetic; stacked, they are four tensors. Optimisers therefore take
/// the first dimension of a master as a count of parameters, never as a dimension of one.
/// </remarks>
public sealed class ParameterBank : IDisposable
{
    private readonly List<Group> _groups = [];

    /// <summary>A bank of copies of some tensors, on a device, in fp32.</summary>
    public ParameterBank(IReadOnlyDictionary<string, Tensor> initial, Device device)
    {
        foreach (var group in initial.GroupBy(tensor => string.Join(',', tensor.Value.shape)))
        {
            using var scope = NewDisposeScope();
            var names = group.Select(tensor => tensor.Key).ToArray();
            var master = stack([.. group.Select(tensor => tensor.Value.detach().to(ScalarType.Float32, device))], 0);
            _groups.Add(new Group(names, master.requires_grad_(true).DetachFromDisposeScope()));
        }
    }

    /// <summary>The masters, [count, …shape], fp32, each a leaf that wants a gradient.</summary>
    public IReadOnlyList<Tensor> Masters => [.. _groups.Select(group => group.Master)];

    /// <summary>How many numbers are trained.</summary>
    public long Count => _groups.Sum(group => group.Master.numel());

    /// <summary>The names, in the order of the masters.</summary>
    public IEnumerable<string> Names => _groups.SelectMany(group => group.Names);

    /// <summary>The parameters by name, in a precision, as views that gradients flow through. They belong to the caller's dispose scope: a step's.</summary>
    public IReadOnlyDictionary<string, Tensor> Views(ScalarType dtype)
    {
        var views = new Dictionary<string, Tensor>();
        foreach (var group in _groups)
        {
            var parts = group.Master.to(dtype).unbind(0);
            for (var i = 0; i < parts.Length; i++) views.Add(group.Names[i], parts[i]);
        }

        return views;
    }

    /// <summary>Copies of the parameters by name, fp32, on the CPU, without gradient.</summary>
    public IReadOnlyDictionary<string, Tensor> Copy()
    {
        using var _ = no_grad();
        return _groups
            .SelectMany(group => group.Names.Select((name, i) => (name, tensor: group.Master[i].detach().to(ScalarType.Float32, CPU, copy: true).contiguous())))
            .ToDictionary(parameter => parameter.name, parameter => parameter.tensor);
    }

    /// <summary>The masters by a stable name, for a checkpoint; the tensors themselves, not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> State() =>
        _groups.Select((group, i) => (Key: $"master.{i}", group.Master)).ToDictionary(pair => pair.Key, pair => pair.Master);

    /// <summary>Takes the masters of a checkpoint over.</summary>
    public void Load(IReadOnlyDictionary<string, Tensor> state) => StateTensors.Restore(State(), state);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var group in _groups) group.Master.Dispose();
    }

    private sealed record Group(string[] Names, Tensor Master);
}
