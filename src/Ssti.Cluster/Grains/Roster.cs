using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <summary>The silos that told of themselves lately, and the choice among them. Without any calls, so that it can be tried by itself.</summary>
/// <param name="time">The clock.</param>
/// <param name="isDead">Whether the cluster has declared a silo dead.</param>
internal sealed class Roster(TimeProvider time, Func<SiloAddress, bool> isDead)
{
    // Silos report every second; a busy machine may be late.
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(6);

    // A roster that has just begun, after the silo it lived on died, must hear from everybody before it says that there is nobody.
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(2.5);

    private readonly Dictionary<SiloAddress, (SiloReport Report, long At)> _silos = [];
    private readonly long _begun = time.GetTimestamp();

    public void Note(SiloReport report) => _silos[report.Silo] = (report, time.GetTimestamp());

    public List<SiloReport> Silos()
    {
        foreach (var (silo, _) in _silos.Where(entry => time.GetElapsedTime(entry.Value.At) > Lifetime || isDead(entry.Key)).ToList()) _silos.Remove(silo);
        return [.. _silos.Values.Select(entry => entry.Report).OrderBy(report => report.Silo.ToString(), StringComparer.Ordinal)];
    }

    public Choice Choose(StageNeeds needs, SiloAddress? avoid)
    {
        var live = Silos();
        var fit = live.Where(silo => needs.Misfit(silo) is null).ToList();
        var candidates = fit.Where(silo => !silo.Draining && silo.Silo != avoid).ToList();
        if (candidates.Count == 0) return new Choice(null, fit.Count > 0 || time.GetElapsedTime(_begun) < Hearing ? null : Explain(needs, live));
        var best = candidates.OrderByDescending(silo => silo.HasRoomFor(needs.Jobs, needs.Gpus))
            .ThenBy(silo => (double)silo.Queued / Math.Max(1, silo.Jobs))
            .ThenByDescending(silo => silo.FreeGpus >= needs.Gpus)
            // What needs no GPU leaves those that have one to what does.
            .ThenBy(silo => needs.Gpus == 0 ? silo.Gpus : 0)
            .ThenByDescending(silo => silo.FreeJobs).First();
        // Until the silo tells again, what was sent there counts as there.
        _silos[best.Silo] = (best.With(needs.Jobs, needs.Gpus), _silos[best.Silo].At);
        return new Choice(best.Silo, null);
    }

    // Null while a silo may still come: nobody runs the kind at all. Otherwise somebody runs it, but differently, and waiting will not change that.
    private static string? Explain(StageNeeds needs, List<SiloReport> live)
    {
        var near = live.Where(silo => silo.Kinds.ContainsKey(needs.Kind)).ToList();
        if (near.Count == 0) return null;
        var why = string.Join("; ", near.Select(silo => $"{silo.Service} at {silo.Silo.Endpoint} {needs.Misfit(silo)}"));
        return $"no silo of the cluster can run '{needs.Kind}' as this program asks for it: {why}. "
            + "Update so that both sides are the same version, or ask for what is there";
    }
}
