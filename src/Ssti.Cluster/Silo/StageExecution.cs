using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Cluster.Silo;

/// <summary>
/// One execution of a stage on this silo: what happened so far, for whoever asks, and who still wants it. Safe to use from any thread.
/// </summary>
internal sealed class StageExecution(string name, WorkOrder order, SiloAddress silo, TimeProvider time) : IStageWatcher
{
    // News are told at once when the stage is over, otherwise a little later, together.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);

    // What a submitter that comes late cannot read any more is in the record's log.
    private const int MostEvents = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _submitters = [];
    private readonly List<(int Number, StageEvent Event)> _events = [];
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;
    private StageReport? _end;
    private long _ended;

    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>The grain's name.</summary>
    public string Name { get; } = name;

    public WorkOrder Order { get; } = order;

    /// <summary>Interrupts the work: nobody wants it any more, or the silo stops.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    public bool IsOver => _over.Task.IsCompleted;

    public Task Over => _over.Task;

    /// <summary>Completes when somebody has been told how it ended.</summary>
    public Task Told => _told.Task;

    /// <summary>Whether it still waits for a place.</summary>
    public bool IsQueued { get; private set; }

    /// <summary>Whether its interrupted work is to be done by another silo.</summary>
    public bool IsHandedBack { get; private set; }

    /// <summary>How long ago it ended.</summary>
    public TimeSpan SinceEnd => IsOver ? time.GetElapsedTime(_ended) : TimeSpan.Zero;

    /// <summary>Notes that a submitter wants it.</summary>
    public void Touch(string submitter)
    {
        lock (_lock) _submitters[submitter] = time.GetTimestamp();
    }

    /// <summary>A submitter is gone; the work stops with the last one. Returns whether it was.</summary>
    public bool Leave(string submitter)
    {
        lock (_lock)
        {
            _submitters.Remove(submitter);
            if (_submitters.Count > 0 || IsOver) return false;
        }

        _cancellation.Cancel();
        return true;
    }

    /// <summary>Drops submitters that have not asked for so long.</summary>
    public void Expire(TimeSpan lease)
    {
        string[] gone;
        lock (_lock) gone = [.. _submitters.Where(entry => time.GetElapsedTime(entry.Value) > lease).Select(entry => entry.Key)];
        foreach (var submitter in gone) Leave(submitter);
    }

    /// <summary>It has to wait for a place, or has got one.</summary>
    public void Queue(bool waits)
    {
        IsQueued = waits;
        if (waits) Waiting("every place that could run it is taken");
    }

    /// <summary>Interrupts the work, to be done elsewhere from its checkpoint.</summary>
    public void HandBack()
    {
        IsHandedBack = true;
        _cancellation.Cancel();
    }

    /// <summary>It is over.</summary>
    public void End(StageReport report)
    {
        lock (_lock)
        {
            if (_end is not null) return;
            _end = report;
            _ended = time.GetTimestamp();
        }

        _over.TrySetResult();
    }

    public StageReport Report(ReportState state, OutcomeMessage? outcome = null, string? error = null) =>
        new() { State = state, Execution = Id, Silo = silo, Outcome = outcome, Error = error };

    /// <summary>What happened after a number, waiting for a while when that is nothing.</summary>
    public async Task<StageReport> ReadAsync(int after, TimeSpan wait)
    {
        Task news;
        lock (_lock) news = _next > after ? Task.CompletedTask : _news.Task;
        if (!IsOver && !news.IsCompleted) await Task.WhenAny(news, Over, Task.Delay(wait, time)).ConfigureAwait(false);
        if (!IsOver) await Task.WhenAny(Over, Task.Delay(Gather, time)).ConfigureAwait(false);
        lock (_lock)
        {
            var events = _events.Where(entry => entry.Number >= after).Select(entry => entry.Event).ToList();
            if (_end is not null) _told.TrySetResult();
            return (_end ?? Report(ReportState.Working)) with { Events = events, Next = _next };
        }
    }

    public void Waiting(string what) => Add(new StageEvent(StageEventKind.Waiting, what));

    public void Started() => Add(new StageEvent(StageEventKind.Started));

    public void Wrote(string line) => Add(new StageEvent(StageEventKind.Wrote, Marked(line)));

    public void Said(string line) => Add(new StageEvent(StageEventKind.Said, Marked(line)));

    public void Progressed(StageProgress progress) => Add(StageEvent.Of(progress));

    public void Retried(int attempt, string error) => Add(new StageEvent(StageEventKind.Retried, Marked(error), attempt));

    public void Warned(string message) => Add(new StageEvent(StageEventKind.Warned, message));

    private string Marked(string text) => SourceMark.Put(text, Order.Sources);

    private void Add(StageEvent happened)
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            // Of progress only the newest counts.
            var last = happened.Kind == StageEventKind.Progressed ? _events.FindLastIndex(entry => entry.Event.Kind == StageEventKind.Progressed) : -1;
            if (last >= 0) _events.RemoveAt(last);
            if (_events.Count >= MostEvents &&
                _events.FindIndex(entry => entry.Event.Kind is StageEventKind.Wrote or StageEventKind.Said) is >= 0 and var old) _events.RemoveAt(old);
            _events.Add((_next++, happened));
            told = _news;
            _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        told.TrySetResult();
    }
}
