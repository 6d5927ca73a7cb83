using Ssti.Engine.Planning;
using Ssti.Engine.Running;

namespace Ssti.Cli.Display;

/// <summary>How much of a run is done and how long the rest may take: from past durations, and from cells of the same stage that this run has finished.</summary>
internal sealed class RunForecast
{
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly Dictionary<string, PlannedStage> _left;
    private readonly Dictionary<string, List<double>> _siblings = [];
    private readonly int _all;
    private double _worked;

    public RunForecast(Plan plan, TimeProvider time)
    {
        (_time, _began) = (time, time.GetTimestamp());
        _left = plan.Stages.Where(stage => stage.State == PlanState.Run).ToDictionary(stage => stage.Instance.Name);
        _all = _left.Count;
    }

    /// <summary>How long a stage may take.</summary>
    public Expected Of(PlannedStage stage)
    {
        if (stage.Estimate is { } estimate) return new(estimate.Seconds, estimate.Runs, "run");
        if (!_siblings.TryGetValue(stage.Instance.Stage, out var known)) return default;
        var sorted = known.Order().ToList();
        return new((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2, sorted.Count, "cell");
    }

    /// <summary>Takes note of a stage that came to its end.</summary>
    public void Finished(StageResult result)
    {
        _left.Remove(result.Instance.Name);
        if (result.OwnSeconds is not { } seconds) return;
        if (!_siblings.TryGetValue(result.Instance.Stage, out var known)) _siblings[result.Instance.Stage] = known = [];
        known.Add(seconds);
        _worked += seconds;
    }

    /// <summary>
    /// <c>12/33, ~2 min 05 s left</c>; with a part of it unknown, <c>12/33, ~2 min 05 s and 2 stages of unknown time left</c>; with all of it,
    /// <c>12/33, time left unknown</c>.
    /// </summary>
    public override string ToString()
    {
        var done = $"{_all - _left.Count}/{_all}";
        if (_left.Count == 0) return done;
        var known = _left.Values.Select(stage => Of(stage).Seconds).OfType<double>().ToList();
        if (known.Count == 0) return $"{done}, time left unknown";
        // As many at once as so far: what the machine and the graph allow is better seen than computed.
        var atOnce = Math.Max(1, _worked / Math.Max(0.001, _time.GetElapsedTime(_began).TotalSeconds));
        return $"{done}, ~{Durations.Show(known.Sum() / atOnce)}{Durations.Unknown(_left.Count - known.Count)} left";
    }
}
