using Orleans.Concurrency;
using Orleans.Placement;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Silo;
using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <inheritdoc cref="IStageGrain"/>
[Reentrant]
[RandomPlacement]
[CapableSilos]
internal sealed class StageGrain(SiloWorker worker) : Grain, IStageGrain
{
    // Below every timeout, so that a caller notices a silo that died, and callers' wish for the work stays fresh.
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    // Longer than any pause between two questions of a submitter.
    private static readonly TimeSpan Stay = TimeSpan.FromMinutes(5);

    private string Name => this.GetPrimaryKeyString();

    public async Task<StageReport> SubmitAsync(string submitter, StageMessage stage)
    {
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

    private StageReport Pass(StageReport report)
    {
        // Where the work is not to be done, the grain must not stay either: the next call places it anew.
        if (report.State is ReportState.Elsewhere or ReportState.Unknown) DeactivateOnIdle();
        else DelayDeactivation(Stay);
        return report;
    }
}
