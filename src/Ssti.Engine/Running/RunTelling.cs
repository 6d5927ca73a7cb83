using System.Diagnostics;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Telemetry;

namespace Ssti.Engine.Running;

/// <summary>What a run tells while it goes on: events to its listener, warnings to its journal as well, and a span for each stage.</summary>
/// <remarks><see cref="Tell"/> is safe for several threads; the rest belongs to the run's loop, and a stage's span to the stage while it is at work.</remarks>
internal sealed class RunTelling(RunRecorder recorder, Pipeline pipeline, IRunListener? listener)
{
    private readonly Lock _telling = new();
    private readonly Activity?[] _spans = new Activity?[pipeline.Instances.Count];
    private readonly List<string> _warnings = [];
    private bool _over, _unrecorded;

    /// <summary>What was warned of about the run itself.</summary>
    public IReadOnlyList<string> Warnings => [.. _warnings.Distinct()];

    public void Tell(RunEvent happened)
    {
        lock (_telling)
        {
            // A stage that outlives its cancellation has nobody left to talk to.
            if (_over) return;
            if (happened is RunEvent.Warned warned)
            {
                _warnings.Add(warned.Message);
                recorder.Warning(warned.Message);
            }

            listener?.On(happened);
        }
    }

    /// <summary>Says once that the run is not written down, if it is not.</summary>
    public void TellUnrecorded()
    {
        if (_unrecorded || recorder.Missing is not { } why) return;
        _unrecorded = true;
        Tell(new RunEvent.Unrecorded(why));
    }

    /// <summary>A stage begins.</summary>
    public void Begin(StageInstance instance) => _spans[instance.Index] = StageSpan.Begin(instance);

    /// <summary>A stage is over. Told within its span, so that what listeners write of it belongs there; one that was never begun gets its span here.</summary>
    public void End(StageResult result)
    {
        var run = Activity.Current;
        var span = _spans[result.Instance.Index] ?? StageSpan.Begin(result.Instance);
        if (span is not null) Activity.Current = span;
        Tell(new RunEvent.StageFinished(result));
        StageSpan.End(span, pipeline, result);
        if (span is not null) Activity.Current = run;
    }

    /// <summary>A stage is to be executed once more: its span ends, with what went wrong if anything did, and it gets another.</summary>
    public void Again(int index, string? error)
    {
        if (error is not null) _spans[index]?.SetStatus(ActivityStatusCode.Error, error).Dispose();
        _spans[index] = null;
    }

    /// <summary>The run is over: nothing is told any more.</summary>
    public void Over()
    {
        lock (_telling) _over = true;
    }
}
