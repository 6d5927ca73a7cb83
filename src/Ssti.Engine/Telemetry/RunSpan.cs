using System.Diagnostics;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;

namespace Ssti.Engine.Telemetry;

/// <summary>The span of a whole run, the root of its trace. Disposed without an end, it says that the run could not be made.</summary>
internal sealed class RunSpan : IDisposable
{
    private readonly Activity? _span;
    private readonly Pipeline _pipeline;
    private bool _ended;

    private RunSpan(Activity? span, Pipeline pipeline) => (_span, _pipeline) = (span, pipeline);

    /// <summary>Begins a run.</summary>
    public static RunSpan Begin(Pipeline pipeline, RunOptions options)
    {
        var span = EngineTelemetry.Source.StartActivity($"run {pipeline.Name}");
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("ssti.pipeline.name", pipeline.Name).SetTag("ssti.pipeline.file", pipeline.File)
                .SetTag("ssti.pipeline.profile", pipeline.Profile?.ToString()).SetTag("ssti.run.jobs", options.Jobs)
                .SetTag("ssti.run.command", options.CommandLine);
        }

        return new(span, pipeline);
    }

    /// <summary>Begins the planning of a run.</summary>
    public static Activity? Plan() => EngineTelemetry.Source.StartActivity("plan");

    /// <summary>Notes how a run ended.</summary>
    public void End(RunResult result)
    {
        _ended = true;
        var outcome = result.Outcome.ToString().ToLowerInvariant();
        EngineTelemetry.RunTime.Record(result.Seconds, new("ssti.pipeline.name", _pipeline.Name), new("ssti.run.outcome", outcome));
        if (_span is null) return;
        _span.SetTag("ssti.run.id", result.RunId).SetTag("ssti.run.outcome", outcome).SetTag("ssti.run.stages", result.Stages.Count);
        foreach (var state in result.Stages.GroupBy(stage => stage.State)) _span.SetTag($"ssti.run.stages.{StageSpan.Word(state.Key)}", state.Count());
        if (result.Outcome == RunOutcome.Succeeded) return;
        var failed = result.Stages.Where(stage => stage.State == StageState.Failed).Select(stage => stage.Instance.Name).ToList();
        _span.SetStatus(
            ActivityStatusCode.Error,
            result.Outcome == RunOutcome.Cancelled ? "interrupted" : failed.Count > 0 ? $"failed: {string.Join(", ", failed)}"
                : result.Stages.Any(stage => stage.State == StageState.Skipped) ? "stages were skipped" : "strict, and the run warned");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_ended) _span?.SetStatus(ActivityStatusCode.Error, "the run could not be made");
        _span?.Dispose();
    }
}
