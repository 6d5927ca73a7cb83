using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Ssti.Cluster.Placement;

/// <summary>Places a stage's grain only on silos that host its kind, in its version, on its device: as its name and the silos' reports say.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class CapableSilosAttribute() : PlacementFilterAttribute(new CapableSilosFilter());

/// <summary>The strategy behind <see cref="CapableSilosAttribute"/>.</summary>
internal sealed class CapableSilosFilter() : PlacementFilterStrategy(order: 0);

/// <summary>Leaves the silos that can do the work.</summary>
internal sealed class CapableSilosDirector(KnownSilos known) : IPlacementFilterDirector
{
    public IEnumerable<SiloAddress> Filter(PlacementFilterStrategy filterStrategy, PlacementTarget target, IEnumerable<SiloAddress> silos)
    {
        var name = StageName.Parse(target.GrainIdentity.Key.ToString()!);
        return name is null ? [] : silos.Where(silo => known.Suffices(silo, name));
    }
}
