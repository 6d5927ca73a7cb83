using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Ssti.Cluster.Grains;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Engine.Telemetry;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Silo;

/// <summary>
/// Does the work of a silo: executes stages beside the grains, on so many slots, and tells the roster how busy it is. When the silo is to stop, it interrupts
/// what runs, so that it is checkpointed, and hands it back.
/// </summary>
internal sealed partial class SiloWorker(
    SiloDuties duties, ClusterStore store, ClusterSettings settings, IGrainFactory grains, ILocalSiloDetails silo,
        KnownSilos known, TimeProvider time, ILogger<SiloWorker> log) : BackgroundService
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, StageExecution> _executions = new();
    private readonly SlotQueue _slots = new(settings.Jobs, duties.Cards, settings.PerGpu);
    private readonly Lock _beginning = new();
    private long _heard = time.GetTimestamp();
    private volatile bool _draining;

    /// <summary>Whether the silo is stopping.</summary>
    public bool IsDraining => _draining;

    /// <summary>How long ago the roster answered last.</summary>
    public TimeSpan SinceHeard => time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>The silo's address.</summary>
    public SiloAddress Address => silo.SiloAddress;

    /// <summary>The last execution of a name on this silo, or null.</summary>
    public StageExecution? Find(string name) => _executions.GetValueOrDefault(name);

    /// <summary>Begins a stage, or joins its execution when there is one that goes on.</summary>
    /// <param name="name">The grain's name.</param>
    /// <param name="submitter">Who asks.</param>
    /// <param name="stage">The stage.</param>
    /// <returns>The execution, or why there is none.</returns>
    public (StageExecution? Execution, StageReport? Instead) Begin(string name, string submitter, StageMessage stage)
    {
        lock (_beginning)
        {
            if (_executions.TryGetValue(name, out var current) && !current.IsOver && !current.Cancellation.IsCancellationRequested)
            {
                current.Touch(submitter);
                return (current, null);
            }

            // One that is being interrupted holds the key's lock until it is: the next waits its turn.
            if (_draining) return (null, new StageReport { State = ReportState.Elsewhere, Silo = Address });
            try
            {
                var order = duties.Accept(StageName.Parse(name)!, stage, key => Path.Combine(store.Workspace.WorkOf(key), "sources"));
                if (order is null) return (null, new StageReport { State = ReportState.Elsewhere, Silo = Address });
                var execution = new StageExecution(name, order, Address, time);
                execution.Touch(submitter);
                _executions[name] = execution;
                _ = Task.Run(() => ExecuteAsync(execution, stage.Trace));
                return (execution, null);
            }
            catch (StageException refused)
            {
                return (null, new StageReport { State = ReportState.Refused, Silo = Address, Error = refused.Message });
            }
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        var going = _executions.Values.Where(execution => !execution.IsOver).ToList();
        if (going.Count > 0) LogDraining(going.Count);
        await ReportAsync().ConfigureAwait(false);
        foreach (var execution in going) execution.HandBack();
        await Task.WhenAny(Task.WhenAll(going.Select(execution => execution.Over)), Task.Delay(Drain, time, cancellationToken)).ConfigureAwait(false);
        // Submitters hear of it while the silo still answers: who asks in vain must take the work for lost. The last answer needs a moment to leave.
        await Task.WhenAny(Task.WhenAll(going.Select(execution => execution.Told)), Task.Delay(Hearing, time, CancellationToken.None)).ConfigureAwait(false);
        if (going.Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(500), time, CancellationToken.None).ConfigureAwait(false);
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogReady(duties.Service, silo.SiloAddress, string.Join(", ", duties.Kinds.Kinds.Select(kind => kind.Name)), settings.Jobs, duties.Gpus, store.Artifacts.Location);
        using var timer = new PeriodicTimer(ReportEvery, time);
        do
        {
            foreach (var (name, execution) in _executions)
            {
                if (!execution.IsOver) execution.Expire(settings.Lease);
                else if (execution.SinceEnd > Remember) _executions.TryRemove(new KeyValuePair<string, StageExecution>(name, execution));
            }

            if (await ReportAsync().ConfigureAwait(false) is { } all) Spread(all);
        }
        while (await WaitAsync(timer, stoppingToken).ConfigureAwait(false));
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task ExecuteAsync(StageExecution execution, string? trace)
    {
        var order = execution.Order;
        using var span = TraceContext.Continue("silo", trace)?.SetTag("ssti.stage.name", order.Stage).SetTag("ssti.silo", Address.ToString());
        StageOutcome outcome;
        try
        {
            using var place = await _slots.TakeAsync(order, () => execution.Queue(true), execution.Cancellation).ConfigureAwait(false);
            execution.Queue(false);
            using var use = await UseAsync(execution).ConfigureAwait(false);
            LogBegun(order.Stage, order.Kind.Name, order.Key, order.Pipeline, order.Run);
            order = order with { Gpus = place.Gpus, PerGpu = place.PerGpu };
            // A worker of its own: a silo lives for weeks, and an input that was checked once may be damaged since.
            outcome = await store.Worker(settings.CheckpointEvery, time).WorkAsync(order, execution, execution.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (execution.Cancellation.IsCancellationRequested)
        {
            outcome = new StageOutcome { State = StageState.Cancelled, Error = "interrupted" };
        }
        catch (StoreException e)
        {
            outcome = new StageOutcome { State = StageState.Failed, Error = e.Message };
        }
        catch (Exception e)
        {
            LogBroken(e, order.Stage);
            outcome = new StageOutcome { State = StageState.Failed, Error = $"{e.GetType().Name}: {e.Message}" };
        }

        LogEnded(order.Stage, order.Kind.Name, order.Key, order.Pipeline, order.Run, outcome.State, outcome.Error);
        execution.End(outcome.State == StageState.Cancelled && execution.IsHandedBack
            ? execution.Report(ReportState.Elsewhere)
            : execution.Report(ReportState.Finished,
                OutcomeMessage.Of(outcome with { Error = outcome.Error is { } error ? SourceMark.Put(error, order.Sources) : null })));
    }

    // Nothing is collected from the store while a stage uses it; where that is going on, the stage waits.
    private async Task<FileLock> UseAsync(StageExecution execution)
    {
        while (true)
        {
            if (store.Workspace.TryUse() is { } use) return use;
            execution.Waiting("the store is being collected");
            await Task.Delay(TimeSpan.FromMilliseconds(200), time, execution.Cancellation).ConfigureAwait(false);
        }
    }

    private async Task<List<SiloReport>?> ReportAsync()
    {
        var (jobs, gpus, shared, waiting) = _slots.State;
        try
        {
            var all = await grains.GetGrain<IRosterGrain>(0).ReportAsync(duties.Report(Address, settings, store) with
            {
                FreeJobs = jobs,
                FreeGpus = gpus,
                SharedPlaces = shared,
                Queued = waiting,
                Draining = _draining,
            }).ConfigureAwait(false);
            known.Hear(all);
            Volatile.Write(ref _heard, time.GetTimestamp());
            return all;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            // The silo that the roster lived on may have died; the next report finds it elsewhere.
            LogUnheard(e.Message);
            return null;
        }
    }

    // What waits here, though another could begin it at once, goes there.
    private void Spread(List<SiloReport> all)
    {
        var waiting = _slots.State.Waiting;
        if (waiting == 0) return;
        var free = all.Where(other => other.Silo != Address && !other.Draining).ToList();
        foreach (var execution in _executions.Values.Where(execution => execution is { IsOver: false, IsQueued: true }))
        {
            var needs = SiloDuties.NeedsOf(execution.Order);
            if (free.FirstOrDefault(other => needs.Misfit(other) is null && other.HasRoomFor(needs.Jobs, needs.Gpus)) is not { } other) continue;
            free.Remove(other);
            execution.HandBack();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Service} silo {Silo} runs {Kinds}; {Jobs} slots, {Gpus} GPUs, artifacts in {Store}")]
    private partial void LogReady(string service, SiloAddress silo, string kinds, int jobs, int gpus, string store);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Stage} ({Kind}) begins: key {Key}, pipeline {Pipeline}, run {Run}")]
    private partial void LogBegun(string stage, string kind, Digest key, string pipeline, string run);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Stage} ({Kind}) is over: key {Key}, pipeline {Pipeline}, run {Run}: {State} {Error}")]
    private partial void LogEnded(string stage, string kind, Digest key, string pipeline, string run, StageState state, string? error);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Stage} broke its worker")]
    private partial void LogBroken(Exception error, string stage);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopping: {Count} stages are interrupted and handed back")]
    private partial void LogDraining(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the roster did not hear this silo: {Reason}")]
    private partial void LogUnheard(string reason);
}
