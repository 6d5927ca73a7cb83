using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Placement;

/// <summary>What this silo last heard of all, from the roster: seconds old at most, and what a placement on this silo goes by.</summary>
/// <remarks>
/// Not Orleans' own metadata of silos: that asks a newcomer once, while it may still be starting, and after a failure not again for two minutes, in which nothing
/// would be placed there.
/// </remarks>
internal sealed class KnownSilos
{
    private volatile IReadOnlyDictionary<SiloAddress, SiloReport> _reports = new Dictionary<SiloAddress, SiloReport>();

    /// <summary>Takes over what the roster answered.</summary>
    public void Hear(IEnumerable<SiloReport> reports) => _reports = reports.ToDictionary(report => report.Silo);

    /// <summary>Whether a silo can do the work of a name, as far as is known here.</summary>
    public bool Suffices(SiloAddress silo, StageName name) => _reports.TryGetValue(silo, out var report) && name.Needs().Misfit(report) is null;
}
