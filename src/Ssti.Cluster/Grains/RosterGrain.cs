using Orleans.Concurrency;
using Orleans.Runtime;
using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <inheritdoc cref="IRosterGrain"/>
[Reentrant]
internal sealed class RosterGrain(TimeProvider time, ISiloStatusOracle statuses) : Grain, IRosterGrain
{
    private readonly Roster _roster = new(time, statuses.IsDeadSilo);

    public Task<List<SiloReport>> ReportAsync(SiloReport report)
    {
        _roster.Note(report);
        return LookAsync();
    }

    public Task<List<SiloReport>> LookAsync() => Task.FromResult(_roster.Silos());

    public Task<Choice> ChooseAsync(StageNeeds needs, SiloAddress? avoid) => Task.FromResult(_roster.Choose(needs, avoid));
}
