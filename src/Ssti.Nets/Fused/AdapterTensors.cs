using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>An adapter's matrices in the encoder's precision, and places for their gradients: stacked as its masters are, ranks padded.</summary>
internal sealed class AdapterTensors : IDisposable
{
    private readonly LoraAdapter _adapter;
    private readonly List<Group> _groups = [];
    private readonly Dictionary<string, (Group Group, int Index)> _places = new(StringComparer.Ordinal);

    public AdapterTensors(LoraAdapter adapter, ScalarType dtype, Device device)
    {
        _adapter = adapter;
        var names = adapter.Parameters.Names.ToArray();
        var taken = 0;
        foreach (var master in adapter.Parameters.Masters)
        {
            var count = (int)master.shape[0];
            // A is [rank, in], B is [out, rank].
            var rank = names[taken].EndsWith(LoraAdapter.SuffixA, StringComparison.Ordinal) ? 1 : 2;
            long[] shape = [.. master.shape];
            shape[rank] = FusedLinear.Padded(shape[rank]);
            var group = new Group(
                master, rank, zeros(shape, dtype, device).DetachFromDisposeScope(), zeros(shape, dtype, device).DetachFromDisposeScope());
            _groups.Add(group);
            for (var i = 0; i < count; i++) _places.Add(names[taken + i], (group, i));
            taken += count;
        }
    }

    /// <summary>Of what the adapter reads, in training.</summary>
    public double Dropout => _adapter.Config.Dropout;

    /// <summary>A linear's part; null when it is not adapted.</summary>
    public LoraPart? Of(string linear)
    {
        if (!_places.TryGetValue(linear + LoraAdapter.SuffixA, out var a)) return null;
        var b = _places[linear + LoraAdapter.SuffixB];
        return new LoraPart(
            Kept(a.Group.Values, a.Index), Kept(a.Group.Gradients, a.Index), Kept(b.Group.Gradients, b.Index), (float)_adapter.Config.Of(linear).Scaling);
    }

    /// <summary>A linear's B as it is now, [out, rank], in the step's scope.</summary>
    public Tensor B(string linear)
    {
        var (group, index) = _places[linear + LoraAdapter.SuffixB];
        return group.Values[index].narrow(1, 0, group.Master.shape[2]);
    }

    /// <summary>Takes the masters over.</summary>
    public void Refresh()
    {
        foreach (var group in _groups) group.Unpadded(group.Values).copy_(group.Master);
    }

    /// <summary>The gradients, as the masters are.</summary>
    public IReadOnlyList<Tensor> Gradients() => [.. _groups.Select(group => group.Unpadded(group.Gradients).to(ScalarType.Float32))];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var group in _groups)
        {
            group.Values.Dispose();
            group.Gradients.Dispose();
        }
    }

    private static Tensor Kept(Tensor stack, int index) => stack[index].DetachFromDisposeScope();

    private sealed record Group(Tensor Master, int RankDimension, Tensor Values, Tensor Gradients)
    {
        public Tensor Unpadded(Tensor stack) => stack.narrow(RankDimension, 0, Master.shape[RankDimension]);
    }
}
