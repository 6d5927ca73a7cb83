using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Placement;

/// <summary>What this silo last heard of all, from the roster: seconds old at most, and what a placement on this silo goes by.</summary>
/// <param name="isDead">Whether the cluster has declared a silo dead.</param>
internal sealed class KnownSilos(Func<SiloAddress, bool> isDead)
{
    private volatile IReadOnlyList<SiloReport> _reports = [];

    /// <summary>Takes over what the roster answered.</summary>
    public void Hear(IReadOnlyList<SiloReport> reports) => _reports = reports;

    /// <summary>The silos that can do the work of a name, as far as is known here.</summary>
    public IEnumerable<SiloAddress> For(StageName name)
    {
        var needs = name.Needs();
        return _reports.Where(report => needs.Misfit(report) is null && !isDead(report.Silo)).Select(report => report.Silo);
    }
}
