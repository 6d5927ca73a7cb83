using System.Diagnostics;
using System.Runtime.InteropServices;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Engine.Telemetry;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>Executes one stage whose key is known: lock, fetch, run, store, record. Whatever goes wrong leaves the store as it was.</summary>
internal sealed class StageExecutor(
    IArtifactStore store, Workspace workspace, KeyBuilder keys, RunJournal journal, Action<RunEvent> tell, TimeProvider time, Stopwatch runClock)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>What ran it, for records and journals.</summary>
    public static IReadOnlyDictionary<string, string> Versions { get; } = new Dictionary<string, string>
    {
        ["ssti"] = typeof(StageExecutor).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["dotnet"] = Environment.Version.ToString(),
        ["os"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
    };

    /// <summary>Executes a stage; never throws.</summary>
    /// <param name="pipeline">Its pipeline.</param>
    /// <param name="planned">The stage, its key known.</param>
    /// <param name="trees">The outputs of what it needs, by index.</param>
    /// <param name="queued">When it became ready, in seconds since the run began.</param>
    /// <param name="cancellation">Interrupts it.</param>
    public async Task<StageResult> ExecuteAsync(Pipeline pipeline, PlannedStage planned, Func<int, Digest> trees, double queued, CancellationToken cancellation)
    {
        var instance = planned.Instance;
        var key = planned.Key!.Value;
        var result = new StageResult { Instance = instance, State = StageState.Failed, Reasons = planned.Reasons, Key = key };
        try
        {
            using var held = await workspace.LockAsync(key, () => tell(new RunEvent.StageWaiting(instance)), cancellation).ConfigureAwait(false);
            var forced = planned.Reasons.Any(r => r.Kind == ReasonKind.Forced);
            if (!forced && (await store.FindAsync([key], cancellation).ConfigureAwait(false))[0].Hit is { } made)
                return result with { State = StageState.Cached, Tree = made.Tree, Reasons = [] };

            result = result with { StartedAt = runClock.Elapsed.TotalSeconds, LogPath = journal.LogPath(instance.Name) };
            tell(new RunEvent.StageStarted(planned));
            using var log = new StageLog(result.LogPath!);
            return await AttemptsAsync(pipeline, planned, trees, result, queued, log, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return result with { State = StageState.Cancelled, Error = "interrupted" };
        }
        catch (Exception e)
        {
            return result with { Error = e is StoreException ? e.Message : e is IOException ? StoreErrors.Explain(workspace.Root, e).Message : $"{e.GetType().Name}: {e.Message}" };
        }
    }

    private async Task<StageResult> AttemptsAsync(
        Pipeline pipeline, PlannedStage planned, Func<int, Digest> trees, StageResult result, double queued, StageLog log, CancellationToken cancellation)
    {
        var instance = planned.Instance;
        foreach (var reason in planned.Reasons) log.Write($"runs because: {reason}");
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (instance.Policy.Timeout is { } timeout) limit.CancelAfter(timeout);
            using var span = StageSpan.Attempt(instance, attempt);
            string error;
            try
            {
                return await AttemptAsync(pipeline, planned, trees, result with { Attempts = attempt }, queued, log, limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (cancellation.IsCancellationRequested)
            {
                log.Write($"interrupted ({e.GetType().Name})");
                workspace.Clean(planned.Key!.Value, keepScratch: true);
                return result with { State = StageState.Cancelled, Error = StageSpan.Failed(span, "interrupted", e), Attempts = attempt };
            }
            catch (OperationCanceledException e) when (limit.IsCancellationRequested)
            {
                error = StageSpan.Failed(span, $"took longer than its timeout of {instance.Policy.Timeout}", e);
                log.Write(error);
            }
            catch (Exception e)
            {
                error = StageSpan.Failed(span, Explain(e, log), e);
            }

            workspace.Clean(planned.Key!.Value, keepScratch: true);
            if (attempt > instance.Policy.Retries) return result with { Error = error, Attempts = attempt };
            tell(new RunEvent.StageRetried(instance, attempt, error));
            StageSpan.Retry(span, attempt, error);
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, attempt - 1))), time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<StageResult> AttemptAsync(
        Pipeline pipeline, PlannedStage planned, Func<int, Digest> trees, StageResult result, double queued, StageLog log, CancellationToken cancellation)
    {
        var instance = planned.Instance;
        var key = planned.Key!.Value;
        var started = time.GetUtcNow();
        var clock = Stopwatch.StartNew();
        var (output, scratch) = workspace.Prepare(key);
        var inputs = await StageInputs.FetchAsync(store, pipeline, instance, trees, cancellation).ConfigureAwait(false);
        var fetch = Lap(clock);
        using var meter = new ProgressMeter(instance, time);
        var context = new StageContext
        {
            StageName = instance.Name,
            Seed = instance.Seed,
            Compute = keys.Compute(instance),
            Inputs = inputs,
            OutputFolder = output,
            ScratchFolder = scratch,
            Progress = progress =>
            {
                meter.Report(progress);
                tell(new RunEvent.StageProgressed(instance, progress));
            },
            Log = line =>
            {
                log.Write(line);
                tell(new RunEvent.StageLogged(instance, line));
            },
        };
        await WorkAsync(() => instance.Kind.RunAsync(instance.Parameters, context, cancellation), cancellation).ConfigureAwait(false);
        var execute = Lap(clock);
        var tree = await store.IngestAsync(output, cancellation).ConfigureAwait(false);
        log.Write($"done: {tree.Files.Count} files, {tree.TotalSize} bytes, tree {tree.Digest}");
        var logBlob = await store.PutTextAsync(await ReadSharedAsync(log.Path).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        var durations = new ActionDurations(result.StartedAt!.Value - queued, fetch, execute, Lap(clock));
        var versions = instance.Kind.UsesTensors ? new Dictionary<string, string>(Versions) { ["libtorch"] = context.Compute.LibTorch } : Versions;
        var outcome = await store.PutRecordAsync(
            new ActionRecord
            {
                Key = key,
                Tree = tree.Digest,
                Files = tree.Files,
                Document = planned.Document!.ToJson(),
                Pipeline = pipeline.Name,
                Stage = instance.Name,
                Run = journal.Id,
                Started = started,
                Finished = time.GetUtcNow(),
                Durations = durations,
                Metrics = context.Metrics,
                Versions = versions,
                Device = instance.Kind.UsesTensors ? context.Compute.DeviceClass : null,
                Attempts = result.Attempts,
                Log = logBlob.Digest,
            },
            cancellation).ConfigureAwait(false);
        workspace.Clean(key, keepScratch: false);
        if (outcome == RecordOutcome.Differs)
            tell(new RunEvent.Warned($"{instance.Name} is not deterministic: the key {key.Short} now has records with different outputs; {tree.Digest.Short}, the newest, is used ('ssti show {key.Short}')"));
        return result with { State = StageState.Done, Tree = tree.Digest, Durations = durations, Metrics = context.Metrics };
    }

    // On a thread of its own even when the stage never awaits: the scheduler must stay free. A stage that does not look at its token
    // is left behind after a while, so that a timeout or Ctrl-C always ends.
    private static async Task WorkAsync(Func<Task> work, CancellationToken cancellation)
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

    private string Explain(Exception error, StageLog log)
    {
        if (StoreErrors.IsFull(error)) error = StoreErrors.Explain(workspace.Root, error);
        if (error is StageException or StoreException)
        {
            log.Write($"failed: {error.Message}");
            for (var cause = error.InnerException; cause is not null; cause = cause.InnerException) log.Write($"because of {cause.GetType().Name}: {cause.Message}");
            return error.Message;
        }

        log.Write($"failed unexpectedly: {error}");
        return $"failed unexpectedly ({error.GetType().Name}: {error.Message}); its log says where: {log.Path}";
    }

    private static async Task<string> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync().ConfigureAwait(false);
    }

    private static double Lap(Stopwatch clock)
    {
        var seconds = clock.Elapsed.TotalSeconds;
        clock.Restart();
        return seconds;
    }
}
