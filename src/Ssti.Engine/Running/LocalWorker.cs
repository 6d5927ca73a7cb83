using System.Diagnostics;
using System.Runtime.InteropServices;
using Ssti.Engine.Stages;
using Ssti.Engine.Telemetry;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>Executes stages in this process: lock, fetch, run, store, record. Whatever goes wrong leaves the store as it was.</summary>
/// <param name="store">Where artifacts are.</param>
/// <param name="workspace">Where stages work on this machine.</param>
/// <param name="time">The clock, for records and pauses.</param>
/// <param name="scratch">Keeps checkpoints in the store, where others cannot reach this machine's scratch folders; null where they need not.</param>
public sealed class LocalWorker(IArtifactStore store, Workspace workspace, TimeProvider time, ScratchKeeper? scratch = null) : IStageWorker
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private readonly StageInputs _inputs = new(store);

    /// <summary>What ran it, for records and journals.</summary>
    public static IReadOnlyDictionary<string, string> Versions { get; } = new Dictionary<string, string>
    {
        ["ssti"] = typeof(LocalWorker).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["dotnet"] = Environment.Version.ToString(),
        ["os"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
    };

    /// <inheritdoc/>
    public async Task<StageOutcome> WorkAsync(WorkOrder order, IStageWatcher watcher, CancellationToken cancellation)
    {
        var waited = Stopwatch.StartNew();
        try
        {
            using var held = await workspace.LockAsync(order.Key, Waits, cancellation).ConfigureAwait(false);
            if (!order.Forced && (await store.FindAsync([order.Key], cancellation).ConfigureAwait(false))[0].Hit is { } made)
                return new StageOutcome { State = StageState.Cached, Tree = made.Tree, Warnings = made.Warnings };

            watcher.Started();
            return await AttemptsAsync(order with { Queued = order.Queued + waited.Elapsed.TotalSeconds }, watcher, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return new StageOutcome { State = StageState.Cancelled, Error = "interrupted" };
        }
        catch (IOException e)
        {
            throw StoreErrors.Explain(workspace.Root, e);
        }

        // The others must not wait for it as well: who holds the lock may be one of another group that waits for a lock of theirs.
        void Waits()
        {
            order.Group?.Leave();
            watcher.Waiting("another process is at work on it");
        }
    }

    private async Task<StageOutcome> AttemptsAsync(WorkOrder order, IStageWatcher watcher, CancellationToken cancellation)
    {
        var log = new StageLog(watcher.Wrote);
        foreach (var reason in order.Reasons) log.Write($"runs because: {reason}");
        if (order.Gpus.Count > 0) log.Write($"on {Records.GpuUse.Words(order.Gpus, order.PerGpu)}");
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (order.Policy.Timeout is { } timeout) limit.CancelAfter(timeout);
            using var span = StageSpan.Attempt(order, attempt);
            StageOutcome failure;
            StageContext? context = null;
            try
            {
                return await AttemptAsync(order, attempt, watcher, log, made => context = made, limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (cancellation.IsCancellationRequested)
            {
                log.Write($"interrupted ({e.GetType().Name})");
                workspace.Clean(order.Key, keepScratch: true);
                StageSpan.Fail(span, "interrupted", e);
                return new StageOutcome { State = StageState.Cancelled, Error = "interrupted", Attempts = attempt };
            }
            catch (OperationCanceledException e) when (limit.IsCancellationRequested)
            {
                failure = Failure($"took longer than its timeout of {order.Policy.Timeout}");
                StageSpan.Fail(span, failure.Error!, e);
                log.Write(failure.Error!);
            }
            catch (Exception e)
            {
                failure = Explain(e, log);
                StageSpan.Fail(span, failure.Error!, e);
            }

            workspace.Clean(order.Key, keepScratch: true);
            // What is lost does not come back by asking again: somebody has to make it.
            if (attempt > order.Policy.Retries || failure.Lost.Count > 0)
                return failure with { Attempts = attempt, Gpus = order.Gpus, PerGpu = order.PerGpu, Warnings = context?.Warnings ?? [] };
            watcher.Retried(attempt, failure.Error!);
            StageSpan.Retry(span, attempt, failure.Error!);
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, attempt - 1))), time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<StageOutcome> AttemptAsync(
        WorkOrder order, int attempt, IStageWatcher watcher, StageLog log, Action<StageContext> begun, CancellationToken cancellation)
    {
        var started = time.GetUtcNow();
        var clock = Stopwatch.StartNew();
        var (output, scratchFolder) = workspace.Prepare(order.Key);
        var inputs = await _inputs.FetchAsync(order.Inputs, cancellation).ConfigureAwait(false);
        await _inputs.FetchAsync(order.Sources, cancellation).ConfigureAwait(false);
        await using var keeping = scratch is null ? null : await scratch.BeginAsync(order, scratchFolder, log.Write, cancellation).ConfigureAwait(false);
        var fetch = Lap(clock);
        using var meter = new ProgressMeter(order, time);
        var context = new StageContext
        {
            StageName = order.Stage,
            Seed = order.Seed,
            Profile = order.Profile,
            Compute = order.ComputeHere,
            Gpus = order.Gpus,
            PerGpu = order.PerGpu,
            // Nor is it waited for where it has to begin again.
            Group = order.Group is { HasLeft: false } group ? group : null,
            Inputs = inputs,
            OutputFolder = output,
            ScratchFolder = scratchFolder,
            Progress = progress =>
            {
                meter.Report(progress);
                watcher.Progressed(progress);
            },
            Log = line =>
            {
                log.Write(line);
                watcher.Said(line);
            },
        };
        begun(context);
        try
        {
            await RunAsync(() => order.Kind.RunAsync(order.Parameters, context, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            order.Group?.Leave();
        }

        order.RequireUnchanged();
        var execute = Lap(clock);
        var tree = await store.IngestAsync(output, cancellation).ConfigureAwait(false);
        log.Write($"done: {tree.Files.Count} file{(tree.Files.Count == 1 ? "" : "s")}, {tree.TotalSize} bytes, tree {tree.Digest}");
        var logBlob = await store.PutTextAsync(log.Text(), cancellation).ConfigureAwait(false);
        var durations = new ActionDurations(order.Queued, fetch, execute, Lap(clock));
        var outcome = await store.PutRecordAsync(Record(order, tree, context, durations, started, attempt) with { Log = logBlob.Digest },
            cancellation).ConfigureAwait(false);
        if (keeping is not null) await keeping.ForgetAsync().ConfigureAwait(false);
        workspace.Clean(order.Key, keepScratch: false);
        if (outcome == RecordOutcome.Differs)
        {
            watcher.Warned($"{order.Stage} is not deterministic: the key {order.Key.Short} now has records with different outputs; "
                + $"{tree.Digest.Short}, the newest, is used ('ssti show {order.Key.Short}')");
        }

        return new StageOutcome
        {
            State = StageState.Done,
            Tree = tree.Digest,
            Durations = durations,
            Metrics = context.Metrics,
            Warnings = context.Warnings,
            Gpus = order.Gpus,
            PerGpu = order.PerGpu,
            Together = Together(context),
            Attempts = attempt,
        };
    }

    private ActionRecord Record(WorkOrder order, Tree tree, StageContext context, ActionDurations durations, DateTimeOffset started, int attempt) => new()
    {
        Key = order.Key,
        Tree = tree.Digest,
        Files = tree.Files,
        Document = order.Document.ToJson(),
        Pipeline = order.Pipeline,
        Stage = order.Stage,
        Run = order.Run,
        Started = started,
        Finished = time.GetUtcNow(),
        Durations = durations,
        Metrics = context.Metrics,
        Warnings = context.Warnings,
        Versions = order.Kind.UsesTensors ? new Dictionary<string, string>(Versions) { ["libtorch"] = context.Compute.LibTorch } : Versions,
        Device = order.Kind.UsesTensors ? context.Compute.DeviceClass : null,
        Gpus = order.Gpus,
        PerGpu = order.PerGpu > 1 ? order.PerGpu : null,
        Together = Together(context) is > 1 and var together ? together : null,
        Attempts = attempt,
    };

    private static int Together(StageContext context) => context.Group?.Group.Size ?? 1;

    // On a thread of its own even when the stage never awaits: the scheduler must stay free. A stage that does not look at its token
    // is left behind after a while, so that a timeout or Ctrl-C always ends.
    private static async Task RunAsync(Func<Task> work, CancellationToken cancellation)
    {
        var running = Task.Run(work, CancellationToken.None);
        try
        {
            await running.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(Grace, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
    }

    private StageOutcome Explain(Exception error, StageLog log)
    {
        if (StoreErrors.IsFull(error)) error = StoreErrors.Explain(workspace.Root, error);
        if (error is StageException or StoreException or LostInputException)
        {
            log.Write($"failed: {error.Message}");
            for (var cause = error.InnerException; cause is not null; cause = cause.InnerException) log.Write($"because of {cause.GetType().Name}: {cause.Message}");
            return Failure(error.Message) with { Lost = error is LostInputException lost ? [lost.Stage] : [] };
        }

        log.Write($"failed unexpectedly: {error}");
        return Failure($"{error.GetType().Name}: {error.Message}") with { Unforeseen = true };
    }

    private static StageOutcome Failure(string error) => new() { State = StageState.Failed, Error = error };

    private static double Lap(Stopwatch clock)
    {
        var seconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        return seconds;
    }
}
