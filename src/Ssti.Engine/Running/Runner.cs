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
    private const int MostNamed = 6;

    /// <summary>Runs a pipeline. Failures of stages are in the result.</summary>
    /// <exception cref="SelectionException">A glob selects nothing.</exception>
    /// <exception cref="Stages.StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    /// <exception cref="LockException">The lock file is damaged, or must hold and does not.</exception>
    /// <exception cref="StoreException">The store cannot be used at all.</exception>
    public async Task<RunResult> RunAsync(Pipeline pipeline, RunOptions options, IRunListener? listener = null, CancellationToken cancellation = default)
    {
        using var use = Use(out var unwritable);
        using var span = RunSpan.Begin(pipeline, options);
        var clock = Stopwatch.StartNew();
        pipeline = await PinAsync(pipeline, options.Selection, cancellation).ConfigureAwait(false);
        if (unwritable is null) await SweepAsync(cancellation).ConfigureAwait(false);
        var history = StageHistory.Of(workspace, pipeline);
        var planner = new Planner(store, keys, history);
        Plan plan;
        using (RunSpan.Plan()) plan = await planner.PlanAsync(pipeline, options.Selection, cancellation).ConfigureAwait(false);
        // What is all there is worth telling from a store that cannot be written; anything else would fail half-way.
        if (unwritable is not null && plan.IsStale) throw Refused(unwritable, plan);
        if (unwritable is null && worker is null && plan.IsStale) await RequireWritableAsync(plan, cancellation).ConfigureAwait(false);
        var works = worker ?? new LocalWorker(store, workspace, time ?? TimeProvider.System);
        // Whoever else executes them hands them out one by one.
        if (worker is not null) options = options with { Together = 1, PerGpu = 1, Elsewhere = true };
        using var journal = Journal(unwritable, plan);
        var session = new RunSession(works, workspace, keys, planner, history, journal, pipeline, plan, options, Gpus(plan, options), listener, clock);
        var result = await session.RunAsync(cancellation).ConfigureAwait(false);
        if (journal.Missing is null) history.Compact();
        span.End(result);
        return result;
    }

    // Where artifacts are elsewhere, the rights there are others than those on the workspace: asked before hours of work that could not be kept.
    private async Task RequireWritableAsync(Plan plan, CancellationToken cancellation)
    {
        try
        {
            await store.RequireWritableAsync(cancellation).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            throw Refused(e, plan);
        }
    }

    private static StoreException Refused(StoreException unwritable, Plan plan)
    {
        if (!StoreErrors.IsReadOnly(unwritable)) return unwritable;
        var stale = plan.Stages.Where(stage => stage.State != PlanState.Cached).Select(stage => stage.Instance.Name).ToList();
        var named = string.Join(", ", stale.Take(MostNamed)) + (stale.Count > MostNamed ? $" and {stale.Count - MostNamed} more" : "");
        return new StoreException($"{unwritable.Message}. Of a store that can only be read, what is cached is shown; {named} would run", unwritable.InnerException);
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            await workspace.SweepAsync(async key => (await store.FindAsync([key], cancellation).ConfigureAwait(false))[0].Hit is not null).ConfigureAwait(false);
        }
        catch (StoreException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            // What cannot be tidied up is in nobody's way; where something has to be written, that is told.
        }
    }

    private FileLock? Use(out StoreException? unwritable)
    {
        unwritable = null;
        try
        {
            return workspace.TryUse()
                ?? throw new StoreException($"the store {workspace.Root} is being collected ('ssti gc') by another process; run again when that is done");
        }
        catch (StoreException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            unwritable = e;
            return null;
        }
    }

    private RunJournal Journal(StoreException? unwritable, Plan plan)
    {
        var clock = time ?? TimeProvider.System;
        try
        {
            return unwritable is null ? RunJournal.Open(workspace, clock) : RunJournal.None(workspace, clock, unwritable.Message);
        }
        catch (StoreException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            return plan.IsStale ? throw Refused(e, plan) : RunJournal.None(workspace, clock, e.Message);
        }
    }

    // Which GPUs there are to give out: of those that are alike, as many as were asked for. A key promises a class, and another card may give other bytes.
    private IEnumerable<int> Gpus(Plan plan, RunOptions options)
    {
        var computes = plan.Stages.Where(stage => stage is { State: not PlanState.Cached, Instance.Kind.UsesTensors: true }).Select(stage => keys.Compute(stage.Instance));
        if (computes.FirstOrDefault(compute => compute.Device == "cuda") is not { } cuda || keys.GpusOf(cuda.DeviceClass) is not { } alike)
            return Enumerable.Range(0, options.Gpus);
        return options.Gpus <= alike.Count ? alike.Take(options.Gpus)
            : throw new Stages.StageException($"{options.Gpus} GPUs are asked for (--gpus), and this machine shows {alike.Count} of the class {cuda.DeviceClass}");
    }

    /// <summary>Says what a run would do.</summary>
    /// <exception cref="SelectionException">A glob selects nothing.</exception>
    /// <exception cref="Stages.StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    /// <exception cref="LockException">The lock file is damaged, or must hold and does not.</exception>
    public async Task<Plan> PlanAsync(Pipeline pipeline, RunSelection selection, CancellationToken cancellation = default)
    {
        pipeline = await PinAsync(pipeline, selection, cancellation).ConfigureAwait(false);
        return await new Planner(store, keys, StageHistory.Of(workspace, pipeline)).PlanAsync(pipeline, selection, cancellation).ConfigureAwait(false);
    }

    private Task<Pipeline> PinAsync(Pipeline pipeline, RunSelection selection, CancellationToken cancellation) =>
        sources is null ? Task.FromResult(pipeline) : sources.PinAsync(pipeline, selection.Resolve(pipeline).Needed, cancellation);
}
