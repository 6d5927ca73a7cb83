using System.Diagnostics;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Telemetry;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>Runs pipelines: plans, executes what is stale with several stages at once, and keeps the journal.</summary>
/// <param name="store">Where artifacts are.</param>
/// <param name="workspace">Where this machine's runs are; the same folder as a file store's.</param>
/// <param name="keys">Builds keys.</param>
/// <param name="time">The clock, for records only.</param>
/// <param name="worker">Executes the stages; by default this process.</param>
/// <param name="sources">Puts revisions to remote sources; null leaves them as they are written.</param>
public sealed class Runner(
    IArtifactStore store, Workspace workspace, KeyBuilder keys, TimeProvider? time = null, IStageWorker? worker = null, SourcePins? sources = null)
{
    /// <summary>Runs a pipeline. Failures of stages are in the result.</summary>
    /// <exception cref="SelectionException">A glob selects nothing.</exception>
    /// <exception cref="Stages.StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    /// <exception cref="LockException">The lock file is damaged, or must hold and does not.</exception>
    /// <exception cref="StoreException">The store cannot be used at all.</exception>
    public async Task<RunResult> RunAsync(Pipeline pipeline, RunOptions options, IRunListener? listener = null, CancellationToken cancellation = default)
    {
        using var use = workspace.TryUse() ?? throw new StoreException($"the store {workspace.Root} is being collected ('ssti gc') by another process; run again when that is done");
        using var span = RunSpan.Begin(pipeline, options);
        var clock = Stopwatch.StartNew();
        pipeline = await PinAsync(pipeline, options.Selection, cancellation).ConfigureAwait(false);
        await workspace.SweepAsync(async key => (await store.FindAsync([key], cancellation).ConfigureAwait(false))[0].Hit is not null).ConfigureAwait(false);
        var history = StageHistory.Of(workspace, pipeline.Name);
        var planner = new Planner(store, keys, history);
        Plan plan;
        using (RunSpan.Plan()) plan = await planner.PlanAsync(pipeline, options.Selection, cancellation).ConfigureAwait(false);
        var works = worker ?? new LocalWorker(store, workspace, time ?? TimeProvider.System);
        using var journal = RunJournal.Open(workspace, time ?? TimeProvider.System);
        var session = new RunSession(works, workspace, keys, planner, history, journal, pipeline, plan, options, listener, clock);
        var result = await session.RunAsync(cancellation).ConfigureAwait(false);
        history.Compact();
        span.End(result);
        return result;
    }

    /// <summary>Says what a run would do.</summary>
    /// <exception cref="SelectionException">A glob selects nothing.</exception>
    /// <exception cref="Stages.StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    /// <exception cref="LockException">The lock file is damaged, or must hold and does not.</exception>
    public async Task<Plan> PlanAsync(Pipeline pipeline, RunSelection selection, CancellationToken cancellation = default)
    {
        pipeline = await PinAsync(pipeline, selection, cancellation).ConfigureAwait(false);
        return await new Planner(store, keys, StageHistory.Of(workspace, pipeline.Name)).PlanAsync(pipeline, selection, cancellation).ConfigureAwait(false);
    }

    private Task<Pipeline> PinAsync(Pipeline pipeline, RunSelection selection, CancellationToken cancellation) =>
        sources is null ? Task.FromResult(pipeline) : sources.PinAsync(pipeline, selection.Resolve(pipeline).Needed, cancellation);
}
