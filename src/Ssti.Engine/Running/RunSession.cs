using System.Diagnostics;
using System.Threading.Channels;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Stages;
using Ssti.Engine.Telemetry;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>One run under way. All state is owned by the loop in <see cref="RunAsync"/>; stages at work only send their results to it.</summary>
internal sealed class RunSession
{
    // A stage may find one file damaged after the other; a disk that spoils what was written a moment ago must not keep a run for ever.
    private const int MostRebuilds = 3;

    private readonly KeyBuilder _keys;
    private readonly Planner _planner;
    private readonly StageHistory _history;
    private readonly RunJournal _journal;
    private readonly Pipeline _pipeline;
    private readonly Plan _plan;
    private readonly RunOptions _options;
    private readonly IRunListener? _listener;
    private readonly Stopwatch _clock;
    private readonly StageExecutor _executor;
    private readonly ResolvedSelection _selection;
    private readonly Slots _slots;
    private readonly Lock _telling = new();
    private readonly Channel<(StageResult Result, Slots.Place Place)> _finished = Channel.CreateUnbounded<(StageResult, Slots.Place)>();
    private readonly StageResult?[] _results;
    private readonly PlannedStage?[] _planned;
    private readonly Activity?[] _spans;
    private readonly Dependents _dependents;
    private readonly bool[] _atWork;
    private readonly Dictionary<int, int> _rebuilt = [];
    private readonly List<string> _warnings = [];
    private readonly List<int> _ready = [];
    private readonly SortedDictionary<int, double> _queue = [];
    private readonly Workspace _workspace;
    private StoreException? _fatal;
    private readonly CancellationTokenSource _grace = new();
    private bool _stopping, _over, _draining;
    private int _running;

    public RunSession(
        IStageWorker worker, Workspace workspace, KeyBuilder keys, Planner planner, StageHistory history, RunJournal journal, Pipeline pipeline, Plan plan,
        RunOptions options, IEnumerable<int> gpus, IRunListener? listener, Stopwatch clock)
    {
        (_keys, _planner, _history, _journal, _pipeline, _plan, _options, _listener, _clock) = (keys, planner, history, journal, pipeline, plan, options, listener, clock);
        _workspace = workspace;
        _executor = new StageExecutor(worker, workspace, keys, journal, Tell, clock);
        _selection = options.Selection.Resolve(pipeline);
        _slots = new Slots(options.Jobs, gpus, options.Memory);
        _dependents = new Dependents(plan);
        var count = pipeline.Instances.Count;
        (_results, _planned, _atWork, _spans) = (new StageResult?[count], new PlannedStage?[count], new bool[count], new Activity?[count]);
        foreach (var stage in plan.Stages) _planned[stage.Instance.Index] = stage;
    }

    public async Task<RunResult> RunAsync(CancellationToken cancellation)
    {
        _journal.Begin(_pipeline, _options, LocalWorker.Versions);
        _journal.Plan(_plan);
        if (_journal.Missing is { } why) Tell(new RunEvent.Unrecorded(why));
        Tell(new RunEvent.PlanReady(_journal.Id, _plan));
        foreach (var warning in _plan.Warnings) Tell(new RunEvent.Warned(warning));
        foreach (var stage in _plan.Stages)
            if (stage.State == PlanState.Cached && _results[stage.Instance.Index] is null) Finish(Cached(stage));
        // What became ready on the way here includes stages that were cached themselves.
        _ready.Clear();
        foreach (var stage in _plan.Stages)
            if (_results[stage.Instance.Index] is null && _dependents.IsReady(stage.Instance.Index)) _ready.Add(stage.Instance.Index);
        using var registration = cancellation.Register(() => _finished.Writer.TryWrite(default));
        while (true)
        {
            if (cancellation.IsCancellationRequested) _stopping = true;
            if (!_stopping) await DecideAsync(cancellation).ConfigureAwait(false);
            if (!_stopping) Start(cancellation);
            if (_running == 0 && (_stopping || (_ready.Count == 0 && _queue.Count == 0))) break;
            if (!await NextAsync(cancellation).ConfigureAwait(false)) break;
        }

        return End(cancellation.IsCancellationRequested);
    }

    // With its inputs known, a stage may turn out to be cached after all; then what needs it is decided in turn.
    private async Task DecideAsync(CancellationToken cancellation)
    {
        while (_ready.Count > 0 && !_stopping)
        {
            int[] batch = [.. _ready];
            _ready.Clear();
            var unknown = batch.Where(i => _planned[i]!.Document is null).ToArray();
            try
            {
                var warnings = new List<string>();
                await _planner.PlanAsync(_pipeline, unknown, _selection, i => _results[i]?.Tree, _planned, warnings, cancellation).ConfigureAwait(false);
                foreach (var warning in warnings) Tell(new RunEvent.Warned(warning));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                _stopping = true;
                return;
            }
            catch (Exception e) when (e is StoreException or StageException)
            {
                foreach (var i in batch) Finish(Ended(_planned[i]!, StageState.Failed, e.Message));
                continue;
            }

            foreach (var i in batch)
            {
                var planned = _planned[i]!;
                if (planned.State == PlanState.Cached) Finish(Cached(planned));
                else if (planned.State == PlanState.Blocked) Finish(Ended(planned, StageState.Skipped, $"it is stale ({string.Join("; ", planned.Reasons)}), but not selected to run"));
                else _queue[i] = _clock.Elapsed.TotalSeconds;
            }
        }
    }

    private void Start(CancellationToken cancellation)
    {
        foreach (var (index, queued) in _queue.ToList())
        {
            var planned = _planned[index]!;
            var share = _slots.ShareOf(planned.Instance.Kind, planned.Instance.Policy, planned.Instance.Kind.UsesTensors ? _keys.Compute(planned.Instance) : null);
            if (_slots.TryTake(share) is not { } place) continue;
            _queue.Remove(index);
            _atWork[index] = true;
            _running++;
            // Looked up here: what this stage needs may be lost, and out of the results, before its thread gets to it.
            var trees = planned.Instance.Inputs.SelectMany(input => input.From).Distinct().ToDictionary(from => from, from => _results[from]!.Tree!.Value);
            _ = Task.Run(async () =>
            {
                _spans[index] = StageSpan.Begin(planned.Instance);
                var result = await _executor.ExecuteAsync(_pipeline, planned, from => trees[from], queued, place.Gpus, cancellation).ConfigureAwait(false);
                _finished.Writer.TryWrite((result.StartedAt is null ? result : result with { EndedAt = _clock.Elapsed.TotalSeconds }, place));
            }, CancellationToken.None);
        }
    }

    /// <summary>Waits for a stage to end; false when the time to drain is over.</summary>
    private async Task<bool> NextAsync(CancellationToken cancellation)
    {
        // One deadline for all that is under way, not one for each.
        if (cancellation.IsCancellationRequested && !_draining)
        {
            _draining = true;
            _grace.CancelAfter(_options.Grace);
        }

        try
        {
            var (result, place) = await _finished.Reader.ReadAsync(_grace.Token).ConfigureAwait(false);
            // The empty message only wakes the loop up when the run is cancelled.
            if (result is null) return true;
            _running--;
            _slots.Return(place);
            _atWork[result.Instance.Index] = false;
            if (!Rebuild(result)) Finish(result);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>
    /// Takes up again what a stage needs and could not read: what was damaged is out of use, so that it is executed once more, and then this stage. False when
    /// there is nothing to be gained by that.
    /// </summary>
    private bool Rebuild(StageResult result)
    {
        if (result.Lost.Count == 0 || _stopping) return false;
        int[] lost = [.. _plan.Stages.Where(stage => result.Lost.Contains(stage.Instance.Name)).Select(stage => stage.Instance.Index)];
        // Another that needs it may have noticed first; then it is under way, or has failed.
        var going = lost.Where(index => _results[index] is null).ToList();
        var again = lost.Except(going).ToList();
        if (lost.Length == 0 || again.Any(index => !IsThere(index) || _rebuilt.GetValueOrDefault(index) >= MostRebuilds)) return false;
        _spans[result.Instance.Index]?.SetStatus(ActivityStatusCode.Error, result.Error).Dispose();
        _spans[result.Instance.Index] = null;
        foreach (var index in again)
        {
            _rebuilt[index] = _rebuilt.GetValueOrDefault(index) + 1;
            Tell(new RunEvent.Warned($"{result.Error!.Replace(CheckedBlobs.Cure, "", StringComparison.Ordinal)}; it is rebuilt in this run"));
            (_results[index], _spans[index]) = (null, null);
        }

        foreach (var index in again.Concat(again.SelectMany(_dependents.Of)).Append(result.Instance.Index).Distinct())
        {
            if (_results[index] is not null || _atWork[index]) continue;
            _ready.Remove(index);
            _queue.Remove(index);
            // What is made again may differ, and then the key does: it is planned anew.
            _planned[index] = _planned[index]! with { Document = null };
            _dependents.Recount(index, IsThere);
            if (_dependents.IsReady(index)) _ready.Add(index);
        }

        return true;
    }

    private bool IsThere(int index) => _results[index] is { State: StageState.Done or StageState.Cached };

    // A doubtful result is none for who asks so. It stays stored, and a run that does not ask so goes on from it.
    private StageResult Judged(StageResult result) => _options.Strict && result is { State: StageState.Done or StageState.Cached, Warnings: [var first, ..] }
        ? result with
        {
            State = StageState.Failed,
            Error = $"strict: it warns: {first}{(result.Warnings.Count > 1 ? $" (and {result.Warnings.Count - 1} more)" : "")}",
        }
        : result;

    private void Finish(StageResult first)
    {
        // A loop and not a recursion: what needs a failed stage may be a chain of thousands.
        var ended = new Queue<StageResult>([Judged(first)]);
        while (ended.TryDequeue(out var result))
        {
            var index = result.Instance.Index;
            _results[index] = result;
            Note(result);
            TellEnd(result);
            if (result.State is StageState.Failed && !_options.KeepGoing) _stopping = true;
            foreach (var consumer in _dependents.Of(index))
            {
                // One that is at work while this was rebuilt has all it needs, or will say what not.
                if (_results[consumer] is not null || _atWork[consumer]) continue;
                if (IsThere(index))
                {
                    if (_dependents.Release(consumer)) _ready.Add(consumer);
                    continue;
                }

                var why = result.State switch
                {
                    StageState.Skipped => result.Error!,
                    StageState.Cancelled => $"'{result.Instance.Name}' was interrupted",
                    _ => $"'{result.Instance.Name}' failed",
                };
                var skipped = Ended(_planned[consumer]!, StageState.Skipped, why);
                _results[consumer] = skipped;
                ended.Enqueue(skipped);
            }
        }
    }

    // Within the stage's span, so that what listeners write of its end belongs to it. A stage that was never begun gets its span here.
    private void TellEnd(StageResult result)
    {
        var run = Activity.Current;
        var span = _spans[result.Instance.Index] ?? StageSpan.Begin(result.Instance);
        if (span is not null) Activity.Current = span;
        Tell(new RunEvent.StageFinished(result));
        StageSpan.End(span, _pipeline, result);
        if (span is not null) Activity.Current = run;
    }

    private void Note(StageResult result)
    {
        try
        {
            _workspace.Guarded(() =>
            {
                _journal.Stage(result);
                if (_journal.Missing is null && result is { Key: { } key, Tree: { } tree })
                    _history.Note(result.Instance.Name, new HistoryEntry(key, tree, _journal.Id), result.Durations?.Execute);
                return 0;
            });
        }
        catch (StoreException e)
        {
            // A run that cannot be written down stops, but what is under way is let to its end.
            _fatal ??= e;
            _stopping = true;
        }
    }

    private RunResult End(bool cancelled)
    {
        foreach (var stage in _plan.Stages)
        {
            if (_results[stage.Instance.Index] is not null) continue;
            var state = cancelled ? StageState.Cancelled : StageState.Skipped;
            Finish(Ended(_planned[stage.Instance.Index]!, state, cancelled ? "interrupted" : "the run stopped after a failure"));
        }

        var results = _plan.Stages.Select(s => _results[s.Instance.Index]!).ToList();
        var outcome = cancelled && results.Any(r => r.State == StageState.Cancelled) ? RunOutcome.Cancelled
            : results.Any(r => r.State is StageState.Failed or StageState.Skipped) || (_options.Strict && _warnings.Count > 0) ? RunOutcome.Failed : RunOutcome.Succeeded;
        var result = new RunResult(_journal.Id, outcome, _plan, results, _clock.Elapsed.TotalSeconds) { Warnings = [.. _warnings.Distinct()] };
        _workspace.Guarded(() =>
        {
            _journal.End(outcome, result.Seconds);
            return 0;
        });
        Tell(new RunEvent.RunFinished(result));
        lock (_telling) _over = true;
        return _fatal is null ? result : throw _fatal;
    }

    private static StageResult Cached(PlannedStage stage) =>
        new() { Instance = stage.Instance, State = StageState.Cached, Key = stage.Key, Tree = stage.Hit!.Tree, Warnings = stage.Hit.Warnings };

    private static StageResult Ended(PlannedStage stage, StageState state, string error) =>
        new() { Instance = stage.Instance, State = state, Reasons = stage.Reasons, Key = stage.Key, Error = error };

    private void Tell(RunEvent happened)
    {
        lock (_telling)
        {
            // A stage that outlives its cancellation has nobody left to talk to.
            if (_over) return;
            if (happened is RunEvent.Warned warned)
            {
                _warnings.Add(warned.Message);
                _journal.Warning(warned.Message);
            }

            _listener?.On(happened);
        }
    }
}
