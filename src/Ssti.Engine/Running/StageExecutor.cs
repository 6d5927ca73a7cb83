using System.Diagnostics;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>A run's side of executing a stage whose key is known: it gives the order to a worker, keeps the log, and tells what happens.</summary>
internal sealed class StageExecutor(IStageWorker worker, Workspace workspace, KeyBuilder keys, RunJournal journal, Action<RunEvent> tell, Stopwatch runClock)
{
    /// <summary>Executes a stage; never throws.</summary>
    /// <param name="pipeline">Its pipeline.</param>
    /// <param name="planned">The stage, its key known.</param>
    /// <param name="trees">The outputs of what it needs, by index.</param>
    /// <param name="queued">When it became ready, in seconds since the run began.</param>
    /// <param name="place">What it has of the machine.</param>
    /// <param name="group">The stages that it is worked at together with; null for none.</param>
    /// <param name="cancellation">Interrupts it.</param>
    public async Task<StageResult> ExecuteAsync(
        Pipeline pipeline, PlannedStage planned, Func<int, Digest> trees, double queued, Slots.Place place, GroupSeat? group,
        CancellationToken cancellation)
    {
        var instance = planned.Instance;
        var result = new StageResult { Instance = instance, State = StageState.Failed, Reasons = planned.Reasons, Key = planned.Key };
        using var watcher = new Watcher(planned, journal.LogPath(instance.Name), tell, runClock);
        try
        {
            var order = WorkOrder.Of(pipeline, planned, trees, keys, journal.Id) with
            {
                Queued = runClock.Elapsed.TotalSeconds - queued, Gpus = place.Gpus, PerGpu = place.PerGpu, Group = group,
            };
            var outcome = await worker.WorkAsync(order, watcher, cancellation).ConfigureAwait(false);
            result = watcher.Note(result);
            if (outcome.State == StageState.Cached)
                return new StageResult { Instance = instance, State = StageState.Cached, Key = planned.Key, Tree = outcome.Tree, Warnings = outcome.Warnings };
            return result with
            {
                State = outcome.State,
                Tree = outcome.Tree,
                Durations = outcome.Durations,
                Metrics = outcome.Metrics,
                Warnings = outcome.Warnings,
                Gpus = outcome.Gpus,
                PerGpu = outcome.PerGpu,
                Together = outcome.Together,
                Lost = outcome.Lost,
                Attempts = outcome.Attempts,
                Error = outcome.Unforeseen ? $"failed unexpectedly ({outcome.Error}); its log says where: {result.LogPath}" : outcome.Error,
            };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return watcher.Note(result) with { State = StageState.Cancelled, Error = "interrupted" };
        }
        catch (Exception e)
        {
            var error = e is StoreException or StageException ? e.Message
                : e is IOException ? StoreErrors.Explain(workspace.Root, e).Message : $"{e.GetType().Name}: {e.Message}";
            return watcher.Note(result) with { Error = error };
        }
        finally
        {
            // Whatever happened: nobody waits for it.
            group?.Leave();
        }
    }

    /// <summary>Turns what a worker tells into events of the run and lines of the log file.</summary>
    private sealed class Watcher(PlannedStage planned, string logPath, Action<RunEvent> tell, Stopwatch runClock) : IStageWatcher, IDisposable
    {
        // What comes from another process comes without a span.
        private readonly Activity? _span = Activity.Current;
        private LogFile? _log;
        private double? _startedAt;

        public void Waiting(string what) => Tell(new RunEvent.StageWaiting(planned.Instance, what));

        public void Started()
        {
            // A worker that had to begin again elsewhere starts twice; the stage does not.
            if (_log is not null) return;
            _startedAt = runClock.Elapsed.TotalSeconds;
            _log = new LogFile(logPath);
            Tell(new RunEvent.StageStarted(planned));
        }

        public void Wrote(string line) => _log?.Write(line);

        public void Said(string line) => Tell(new RunEvent.StageLogged(planned.Instance, line));

        public void Progressed(StageProgress progress) => Tell(new RunEvent.StageProgressed(planned.Instance, progress));

        public void Retried(int attempt, string error) => Tell(new RunEvent.StageRetried(planned.Instance, attempt, error));

        public void Warned(string message) => Tell(new RunEvent.Warned(message));

        public StageResult Note(StageResult result) => _log is null ? result : result with { StartedAt = _startedAt, LogPath = logPath };

        public void Dispose() => _log?.Dispose();

        private void Tell(RunEvent happened)
        {
            var current = Activity.Current;
            if (_span is null || _span.IsStopped || current?.TraceId == _span.TraceId)
            {
                tell(happened);
                return;
            }

            Activity.Current = _span;
            tell(happened);
            Activity.Current = current;
        }
    }
}
