using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>
/// What adapters of one trunk have in common of a batch: the states before the first linear that any of them changes. The first pass leaves
/// them here, the
/// passes of the others begin with them; every pass gives the bits that it gives alone.
/// </summary>
/// <remarks>
/// For passes without dropouts. Two states of a batch are held at most, [rows·length, hidden] each. <see cref="BertTrunk"/> uses it; of
/// other families everything
/// is computed anew: what their adapters usually leave alone at the beginning is a lookup.
/// </remarks>
public sealed class SharedStart : IDisposable
{
    private readonly int _linears;

    private SharedStart(int linears) => _linears = linears;

    /// <summary>The states that were left, or null.</summary>
    internal Begun? State { get; private set; }

    /// <summary>A start for passes of some adapters; null where they have none in common.</summary>
    /// <param name="trunk">The trunk.</param>
    /// <param name="adapters">The adapters; null for the bare trunk.</param>
    public static SharedStart? Of(Trunk trunk, IReadOnlyCollection<LoraAdapter?> adapters)
    {
        // A tensor trained whole may be anywhere, an embedding too.
        if (adapters.Count < 2 || adapters.Any(adapter => adapter is { Whole.Count: > 0 })) return null;
        var adapted = adapters.OfType<LoraAdapter>().SelectMany(adapter => adapter.Targets.Select(linear => linear.Name)).ToHashSet(StringComparer.Ordinal);
        return new SharedStart(trunk.Linears.TakeWhile(linear => !adapted.Contains(linear.Name)).Count());
    }

    /// <summary>Keeps states for the passes to come, if nothing that an adapter changes came before them.</summary>
    /// <param name="linears">How many linears, in the order they are computed, came before.</param>
    /// <param name="state">The states.</param>
    internal void Keep(int linears, Begun state)
    {
        if (linears > _linears || (State is { } kept && kept.Progress >= state.Progress)) return;
        foreach (var tensor in new[] { state.Hidden, state.Attended }) tensor?.DetachFromDisposeScope();
        foreach (var tensor in new[] { State?.Hidden, State?.Attended })
            if (tensor is not null && !ReferenceEquals(tensor, state.Hidden)) tensor.Dispose();
        State = state;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State?.Hidden.Dispose();
        State?.Attended?.Dispose();
        State = null;
    }

    /// <summary>A pass that has come as far as a layer.</summary>
    /// <param name="Layer">The layer, from 0.</param>
    /// <param name="Hidden">What it reads, [rows·length, hidden].</param>
    /// <param name="Attended">What its positions took from each other; null before that.</param>
    internal sealed record Begun(int Layer, Tensor Hidden, Tensor? Attended)
    {
        public int Progress => (2 * Layer) + (Attended is null ? 0 : 1);
    }
}
