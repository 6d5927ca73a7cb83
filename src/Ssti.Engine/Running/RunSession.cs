using System.Diagnostics;
using System.Threading.Channels;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Stages;
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
    private readonly RunRecorder _recorder;
    private readonly Pipeline _pipeline;
    private readonly Plan _plan;
    private readonly RunOptions _options;
    private readonly Stopwatch _clock;
    private readonly StageExecutor _executor;
    private readonly ResolvedSelection _selection;
    private readonly Slots _slots;
    private readonly RunTelling _telling;
    private readonly Companions _companions;
    private readonly Channel<(StageResult Result, Held Place)> _finished = Channel.CreateUnbounded<(StageResult, Held)>();
    private readonly StageResult?[] _results;
    private readonly PlannedStage?[] _planned;
    private readonly Dependents _dependents;
    private readonly bool[] _atWork;
    private readonly Dictionary<int, int> _rebuilt = [];
    private readonly List<int> _ready = [];
    private readonly SortedDictionary<int, double> _queue = [];
    private readonly CancellationTokenSource _grace = new();
    private bool _stopping, _draining;
    private int _running;

    public RunSession(
        IStageWorker worker, Workspace workspace, KeyBuilder keys, Planner planner, StageHistory history, RunJournal journal, Pipeline pipeline, Plan plan,
        RunOptions options, IEnumerable<int> gpus, IRunListener? listener, Stopwatch clock)
    {
        (_keys, _planner, _pipeline, _plan, _options, _clock) = (keys, planner, pipeline, plan, options, clock);
        _recorder = new RunRecorder(journal, history, workspace, plan.IsStale);
        _telling = new RunTelling(_recorder, pipeline, listener);
        _executor = new StageExecutor(worker, workspace, keys, journal, _telling.Tell, clock);
        _selection = options.Selection.Resolve(pipeline);
        _slots = new Slots(options.Jobs, gpus, options.Memory, options.PerGpu);
        _companions = new Companions(keys, options.Together);
        _dependents = new Dependents(plan);
        var count = pipeline.Instances.Count;
        (_results, _planned, _atWork) = (new StageResult?[count], new PlannedStage?[count], new bool[count]);
        foreach (var stage in plan.Stages) _planned[stage.Instance.Index] = stage;
    }

    public async Task<RunResult> RunAsync(CancellationToken cancellation)
    {
        _recorder.Begin(_pipeline, _plan, _options);
        _telling.TellUnrecorded();
        _telling.Tell(new RunEvent.PlanReady(_recorder.Id, _plan));
        foreach (var warning in _plan.Warnings) _telling.Tell(new RunEvent.Warned(warning));
        foreach (var stage in _plan.Stages)
            if (stage.State == PlanState.Cached && _results[stage.Instance.Index] is null) Finish(StageResult.Cached(stage));
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
                foreach (var warning in warnings) _telling.Tell(new RunEvent.Warned(warning));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                _stopping = true;
                return;
            }
            catch (Exception e) when (e is StoreException or StageException)
            {
                foreach (var i in batch) Finish(StageResult.Ended(_planned[i]!, StageState.Failed, e.Message));
                continue;
            }

            foreach (var i in batch)
            {
                var planned = _planned[i]!;
                if (planned.State == PlanState.Cached) Finish(StageResult.Cached(planned));
                else if (planned.State == PlanState.Blocked)
                    Finish(StageResult.Ended(planned, StageState.Skipped, $"it is stale ({string.Join("; ", planned.Reasons)}), but not selected to run"));
                else _queue[i] = _clock.Elapsed.TotalSeconds;
            }
        }
    }

    private void Start(CancellationToken cancellation)
    {
        foreach (var index in _queue.Keys.ToList())
        {
            // Begun together with one before it.
            if (!_queue.ContainsKey(index)) continue;
            var planned = _planned[index]!;
            var share = _slots.ShareOf(planned.Instance.Kind, planned.Instance.Policy, planned.Instance.Kind.UsesTensors ? _keys.Compute(planned.Instance) : null);
            var behind = _queue.Keys.Where(other => other > index).Select(other => _planned[other]!);
            var together = _companions.Of(planned, behind, share, _slots, from => _results[from]!.Tree!.Value);
            if (_slots.TryTake(share with { Memory = share.Memory * together.Count }) is not { } place) continue;
            var held = new Held(place, together.Count);
            var group = together.Count > 1 ? new StageGroup(together.Count) : null;
            for (var i = 0; i < together.Count; i++) Begin(together[i], held, group is null ? null : new GroupSeat(group, i), cancellation);
        }
    }

    private void Begin(PlannedStage planned, Held held, GroupSeat? group, CancellationToken cancellation)
    {
        _queue.Remove(planned.Instance.Index, out var queued);
        _atWork[planned.Instance.Index] = true;
        _running++;
        // Looked up here: what this stage needs may be lost, and out of the results, before its thread gets to it.
        var trees = planned.Instance.Inputs.SelectMany(input => input.From).Distinct().ToDictionary(from => from, from => _results[from]!.Tree!.Value);
        _ = Task.Run(async () =>
        {
            _telling.Begin(planned.Instance);
            var result = await _executor.ExecuteAsync(_pipeline, planned, from => trees[from], queued, held.Place, group, cancellation)
                .ConfigureAwait(false);
            _finished.Writer.TryWrite((result.StartedAt is null ? result : result with { EndedAt = _clock.Elapsed.TotalSeconds }, held));
        }, CancellationToken.None);
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
            if (--place.Stages == 0) _slots.Return(place.Place);
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
        _telling.Again(result.Instance.Index, result.Error);
        foreach (var index in again)
        {
            _rebuilt[index] = _rebuilt.GetValueOrDefault(index) + 1;
            _telling.Tell(new RunEvent.Warned($"{result.Error!.Replace(CheckedBlobs.Cure, "", StringComparison.Ordinal)}; it is rebuilt in this run"));
            _results[index] = null;
            _telling.Again(index, error: null);
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

    private void Finish(StageResult first)
    {
        // A loop and not a recursion: what needs a failed stage may be a chain of thousands.
        var ended = new Queue<StageResult>([_options.Strict ? first.Strictly() : first]);
        while (ended.TryDequeue(out var result))
        {
            var index = result.Instance.Index;
            _results[index] = result;
            _recorder.Stage(result);
            if (_recorder.Fatal is not null) _stopping = true;
            _telling.End(result);
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
                var skipped = StageResult.Ended(_planned[consumer]!, StageState.Skipped, why);
                _results[consumer] = skipped;
                ended.Enqueue(skipped);
            }
        }
    }

    private RunResult End(bool cancelled)
    {
        foreach (var stage in _plan.Stages)
        {
            if (_results[stage.Instance.Index] is not null) continue;
            var state = cancelled ? StageState.Cancelled : StageState.Skipped;
            Finish(StageResult.Ended(_planned[stage.Instance.Index]!, state, cancelled ? "interrupted" : "the run stopped after a failure"));
        }

        var results = _plan.Stages.Select(s => _results[s.Instance.Index]!).ToList();
        var outcome = cancelled && results.Any(r => r.State == StageState.Cancelled) ? RunOutcome.Cancelled
            : results.Any(r => r.State is StageState.Failed or StageState.Skipped) || (_options.Strict && _telling.Warnings.Count > 0) ? RunOutcome.Failed : RunOutcome.Succeeded;
        var seconds = _clock.Elapsed.TotalSeconds;
        _recorder.End(outcome, seconds);
        _telling.TellUnrecorded();
        var result = new RunResult(_recorder.Id, outcome, _plan, results, seconds)
        {
            Warnings = _telling.Warnings, Gpus = _options.Elsewhere ? [] : GpuUse.Of(results),
        };
        _telling.Tell(new RunEvent.RunFinished(result));
        _telling.Over();
        return _recorder.Fatal is null ? result : throw _recorder.Fatal;
    }

    /// <summary>A place, until the last of the stages that have it together has ended.</summary>
    private sealed class Held(Slots.Place place, int stages)
    {
        public Slots.Place Place { get; } = place;

        public int Stages { get; set; } = stages;
    }
}
