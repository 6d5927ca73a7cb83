using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Ssti.Cluster.Placement;

/// <summary>Places a stage's grain where its submitter has chosen to, and only on a silo that hosts its kind, in its version, on its device.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class CapableSiloAttribute() : PlacementAttribute(new CapableSiloPlacement());

/// <summary>The strategy behind <see cref="CapableSiloAttribute"/>.</summary>
[GenerateSerializer]
internal sealed class CapableSiloPlacement : PlacementStrategy;

/// <summary>Takes the submitter's choice, or any silo that can do the work.</summary>
/// <remarks>
/// It goes by what silos report and not by the silos that Orleans calls compatible: what Orleans knows of a newcomer it asks it once, while it may still be
/// starting, and where that fails nothing is placed on it for minutes.
/// </remarks>
internal sealed class CapableSiloDirector(KnownSilos known) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var grain = target.GrainIdentity.Key.ToString()!;
        SiloAddress[] able = StageName.Parse(grain) is { } name ? [.. known.For(name)] : [];
        if (able.Length == 0) throw new OrleansException($"no silo that is known here can do {grain}");
        return Task.FromResult(IPlacementDirector.GetPlacementHint(target.RequestContextData, able) ?? able[Random.Shared.Next(able.Length)]);
    }
}
