using System.Diagnostics;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;

namespace Ssti.Cli.Display;

/// <summary>How much of a run is done and how long the rest may take: from past durations, and from cells of the same stage that this run has finished.</summary>
internal sealed class RunForecast
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<string, PlannedStage> _left;
    private readonly Dictionary<string, (double Seconds, int Count)> _siblings = [];
    private readonly int _all;
    private double _worked;

    public RunForecast(Plan plan)
    {
        _left = plan.Stages.Where(stage => stage.State == PlanState.Run).ToDictionary(stage => stage.Instance.Name);
        _all = _left.Count;
    }

    /// <summary>Takes note of a stage that came to its end.</summary>
    public void Finished(StageResult result)
    {
        _left.Remove(result.Instance.Name);
        if (result.Durations is not { } durations) return;
        var (seconds, count) = _siblings.GetValueOrDefault(result.Instance.Stage);
        _siblings[result.Instance.Stage] = (seconds + durations.Execute, count + 1);
        _worked += durations.Execute;
    }

    /// <summary><c>12/33, ~2 min 05 s left</c>; with a part of it unknown, <c>12/33, time left unknown</c>.</summary>
    public override string ToString()
    {
        var done = $"{_all - _left.Count}/{_all}";
        if (_left.Count == 0) return done;
        var work = 0.0;
        foreach (var stage in _left.Values)
        {
            if (stage.Estimate is { } estimate) work += estimate.Seconds;
            else if (_siblings.TryGetValue(stage.Instance.Stage, out var known)) work += known.Seconds / known.Count;
            else return $"{done}, time left unknown";
        }

        // As many at once as so far: what the machine and the graph allow is better seen than computed.
        var atOnce = Math.Max(1, _worked / Math.Max(0.001, _clock.Elapsed.TotalSeconds));
        return $"{done}, ~{Durations.Show(work / atOnce)} left";
    }
}
