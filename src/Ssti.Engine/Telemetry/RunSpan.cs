using System.Diagnostics;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;

namespace Ssti.Engine.Telemetry;

/// <summary>The span of a whole run, the root of its trace.</summary>
internal static class RunSpan
{
    /// <summary>Begins a run; null when nobody listens.</summary>
    public static Activity? Begin(Pipeline pipeline, RunOptions options)
    {
        var span = EngineTelemetry.Source.StartActivity($"run {pipeline.Name}");
        if (span is not { IsAllDataRequested: true }) return span;
        return span.SetTag("ssti.pipeline.name", pipeline.Name).SetTag("ssti.pipeline.file", pipeline.File).SetTag("ssti.run.jobs", options.Jobs)
            .SetTag("ssti.run.command", options.CommandLine);
    }

    /// <summary>Begins the planning of a run.</summary>
    public static Activity? Plan() => EngineTelemetry.Source.StartActivity("plan");

    /// <summary>Notes how a run ended.</summary>
    public static void End(Activity? span, Pipeline pipeline, RunResult result)
    {
        var outcome = result.Outcome.ToString().ToLowerInvariant();
        EngineTelemetry.RunTime.Record(result.Seconds, new("ssti.pipeline.name", pipeline.Name), new("ssti.run.outcome", outcome));
        if (span is null) return;
        span.SetTag("ssti.run.id", result.RunId).SetTag("ssti.run.outcome", outcome).SetTag("ssti.run.stages", result.Stages.Count);
        foreach (var state in result.Stages.GroupBy(stage => stage.State)) span.SetTag($"ssti.run.stages.{StageSpan.Word(state.Key)}", state.Count());
        if (result.Outcome == RunOutcome.Succeeded) return;
        var failed = result.Stages.Where(stage => stage.State == StageState.Failed).Select(stage => stage.Instance.Name).ToList();
        span.SetStatus(ActivityStatusCode.Error, result.Outcome == RunOutcome.Cancelled ? "interrupted" : $"failed: {string.Join(", ", failed)}");
    }

    /// <summary>Notes that a run could not be made at all.</summary>
    public static void Fail(Activity? span, Exception error) => span?.SetStatus(ActivityStatusCode.Error, error.Message).AddException(error);
}
