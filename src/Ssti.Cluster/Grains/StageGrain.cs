using Orleans.Concurrency;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Silo;
using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <inheritdoc cref="IStageGrain"/>
[Reentrant]
[CapableSilo]
internal sealed class StageGrain(SiloWorker worker, KnownSilos known) : Grain, IStageGrain
{
    // Below every timeout, so that a caller notices a silo that died, and callers' wish for the work stays fresh.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    // Longer than any pause between two questions of a submitter.
    private static readonly TimeSpan Stay = TimeSpan.FromMinutes(5);

    private string Name => this.GetPrimaryKeyString();

    public async Task<StageReport> SubmitAsync(string submitter, StageMessage stage)
    {
        if (MustMove())
        {
            MigrateOnIdle();
            return new StageReport { State = ReportState.Elsewhere, Silo = worker.Address };
        }

        var (execution, instead) = worker.Begin(Name, submitter, stage);
        return Pass(execution is null ? instead! : await execution.ReadAsync(0, Wait));
    }

    public async Task<StageReport> PollAsync(string submitter, Guid execution, int after)
    {
        if (worker.Find(Name) is not { } known || known.Id != execution) return Pass(new StageReport { State = ReportState.Unknown, Silo = worker.Address });
        known.Touch(submitter);
        return Pass(await known.ReadAsync(after, Wait));
    }

    public async Task<StageReport> PeekAsync(Guid execution, int after) => worker.Find(Name) is { } known && known.Id == execution
        ? await known.ReadAsync(after, Wait)
        : new StageReport { State = ReportState.Unknown, Silo = worker.Address };

    public Task<bool> LeaveAsync(string submitter, Guid execution) =>
        Task.FromResult(worker.Find(Name) is { } known && known.Id == execution && known.Leave(submitter));

    // Orleans remembers for a while where a grain was, and may wake it there again though its work was handed back to go on elsewhere. Then it is not enough that it
    // leaves: it moves to the silo that its submitter chose, and all know where it is.
    private bool MustMove() => RequestContext.Get(IPlacementDirector.PlacementHintKey) is SiloAddress chosen && chosen != worker.Address
        && worker.Find(Name) is not { IsOver: false } && known.For(StageName.Parse(Name)!).Contains(chosen);

    private StageReport Pass(StageReport report)
    {
        // Where the work is not to be done, the grain must not stay either: the next call places it anew.
        if (report.State is ReportState.Elsewhere or ReportState.Unknown) DeactivateOnIdle();
        else DelayDeactivation(Stay);
        return report;
    }
}
