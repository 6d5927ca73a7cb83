using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>
/// The matrices of one adapter, or of several side by side, in the encoder's precision, and places for their gradients: stacked as their masters are,
/// ranks padded.
/// </summary>
internal sealed class AdapterTensors : IDisposable
{
    private readonly IReadOnlyList<LoraAdapter> _adapters;
    private readonly List<Group> _groups = [];
    private readonly Dictionary<string, (Group Group, int Index)> _places = new(StringComparer.Ordinal);

    /// <summary>Places for adapters that <see cref="Fit"/>, zero until they are refreshed.</summary>
    public AdapterTensors(IReadOnlyList<LoraAdapter> adapters, ScalarType dtype, Device device)
    {
        _adapters = adapters;
        var names = adapters[0].Parameters.Names.ToArray();
        var taken = 0;
        foreach (var (master, number) in adapters[0].Parameters.Masters.Select((master, number) => (master, number)))
        {
            long[] shape = [adapters.Count, .. Stored(adapters[0], number)];
            var group = new Group(
                [.. adapters.Select(adapter => adapter.Parameters.Masters[number])], RankDimension(names[taken]),
                zeros(shape, dtype, device).DetachFromDisposeScope(), zeros(shape, dtype, device).DetachFromDisposeScope());
            _groups.Add(group);
            for (var i = 0; i < (int)master.shape[0]; i++) _places.Add(names[taken++], (group, i));
        }
    }

    /// <summary>Of what the adapters read, in training.</summary>
    public double Dropout => _adapters[0].Config.Dropout;

    /// <summary>Whether two adapters can stand side by side: of the same linears, with the same dropout and scaling, and with ranks that are stored alike.</summary>
    public static bool Fit(LoraAdapter one, LoraAdapter other)
    {
        var count = one.Parameters.Masters.Count;
        return LoraBank.Fit(one, other) && count == other.Parameters.Masters.Count && one.Parameters.Names.SequenceEqual(other.Parameters.Names)
            && one.Targets.All(linear => one.Config.Of(linear.Name).Scaling.Equals(other.Config.Of(linear.Name).Scaling))
            && Enumerable.Range(0, count).All(number => Stored(one, number).SequenceEqual(Stored(other, number)));
    }

    /// <summary>A linear's part; null when it is not adapted.</summary>
    public LoraPart? Of(string linear)
    {
        if (!_places.TryGetValue(linear + LoraAdapter.SuffixA, out var a)) return null;
        var b = _places[linear + LoraAdapter.SuffixB];
        return new LoraPart(
            Kept(a.Group.Values, a.Index), Kept(a.Group.Gradients, a.Index), Kept(b.Group.Values, b.Index), Kept(b.Group.Gradients, b.Index),
            (float)_adapters[0].Config.Of(linear).Scaling);
    }

    /// <summary>Takes the masters over.</summary>
    public void Refresh()
    {
        foreach (var group in _groups)
            for (var adapter = 0; adapter < _adapters.Count; adapter++) group.Unpadded(group.Values, adapter).copy_(group.Masters[adapter]);
    }

    /// <summary>The gradients of each adapter, as its masters are: copies, which the next pass leaves alone.</summary>
    public IReadOnlyList<Tensor>[] Gradients() =>
        [.. _adapters.Select((_, adapter) => (IReadOnlyList<Tensor>)[.. _groups.Select(group => group.Unpadded(group.Gradients, adapter).to(ScalarType.Float32, copy: true))])];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var group in _groups)
        {
            group.Values.Dispose();
            group.Gradients.Dispose();
        }
    }

    // Of a stack of masters: [count, rank, in] or [count, out, rank].
    private static int RankDimension(string name) => name.EndsWith(LoraAdapter.SuffixA, StringComparison.Ordinal) ? 1 : 2;

    private static long[] Stored(LoraAdapter adapter, int number)
    {
        var masters = adapter.Parameters.Masters;
        var first = masters.Take(number).Sum(master => (int)master.shape[0]);
        long[] shape = [.. masters[number].shape];
        ref var rank = ref shape[RankDimension(adapter.Parameters.Names.ElementAt(first))];
        rank = FusedLinear.Padded(rank);
        return shape;
    }

    // A lone adapter's are plain matrices.
    private Tensor Kept(Tensor stack, int index) => (_adapters.Count == 1 ? stack[0, index] : stack.select(1, index)).DetachFromDisposeScope();

    /// <summary>Matrices of one shape of all adapters.</summary>
    private sealed record Group(Tensor[] Masters, int RankDimension, Tensor Values, Tensor Gradients)
    {
        /// <summary>One adapter's of a stack, [count, rows, columns] with its own rank.</summary>
        public Tensor Unpadded(Tensor stack, int adapter) => stack[adapter].narrow(RankDimension, 0, Masters[adapter].shape[RankDimension]);
    }
}
