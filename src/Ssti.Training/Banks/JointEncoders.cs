using Ssti.Nets.Fused;
using Ssti.Nets.Lora;

namespace Ssti.Training.Banks;

/// <summary>The written-out encoders of a bank, one for each set of adapters that go through it together: made when such a set first does, and kept while it goes on.</summary>
internal sealed class JointEncoders : IDisposable
{
    private readonly List<Entry> _entries = [];

    /// <summary>The encoder of some trainings, with their adapters as they are now.</summary>
    public FusedEncoder Of(IReadOnlyList<BankCell> cells)
    {
        LoraAdapter[] adapters = [.. cells.Select(cell => cell.Adapter)];
        var entry = _entries.Find(entry => entry.Adapters.SequenceEqual(adapters));
        if (entry is null) _entries.Add(entry = new Entry(adapters, ((FusedRows)cells[0].Rows).Encoder.Among(adapters)));
        else entry.Encoder.Refresh();
        entry.IsUsed = true;
        return entry.Encoder;
    }

    /// <summary>Lets go of those that were not asked for since the last time.</summary>
    public void Sweep()
    {
        foreach (var entry in _entries.Where(entry => !entry.IsUsed)) entry.Encoder.Dispose();
        _entries.RemoveAll(entry => !entry.IsUsed);
        foreach (var entry in _entries) entry.IsUsed = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var entry in _entries) entry.Encoder.Dispose();
        _entries.Clear();
    }

    private sealed record Entry(LoraAdapter[] Adapters, FusedEncoder Encoder)
    {
        public bool IsUsed { get; set; }
    }
}
