using System.Diagnostics;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;

namespace Ssti.Engine.Telemetry;

/// <summary>The spans of a stage: one from its start to its end, and below it one for each attempt.</summary>
internal static class StageSpan
{
    /// <summary>Begins a stage as a child of the run; null when nobody listens. It is the current activity from here on.</summary>
    public static Activity? Begin(StageInstance instance)
    {
        var span = EngineTelemetry.Source.StartActivity(instance.Name);
        return span is { IsAllDataRequested: true } ? span.SetTag("ssti.stage.name", instance.Name).SetTag("ssti.stage.uses", instance.Kind.Name) : span;
    }

    /// <summary>Ends a stage, and counts it whether or not there is a span.</summary>
    public static void End(Activity? span, Pipeline pipeline, StageResult result)
    {
        Count(pipeline, result);
        if (span is null) return;
        if (span.IsAllDataRequested) Describe(span, result);
        if (result.State is StageState.Failed or StageState.Cancelled) span.SetStatus(ActivityStatusCode.Error, result.Error);
        span.Stop();
    }

    /// <summary>Begins an attempt at a stage, in the process that makes it.</summary>
    public static Activity? Attempt(WorkOrder order, int attempt)
    {
        var span = EngineTelemetry.Source.StartActivity("attempt");
        if (span is not { IsAllDataRequested: true }) return span;
        return span.SetTag("ssti.stage.name", order.Stage).SetTag("ssti.stage.uses", order.Kind.Name)
            .SetTag("ssti.stage.attempt", attempt).SetTag("ssti.run.id", order.Run);
    }

    /// <summary>Notes why an attempt failed.</summary>
    public static void Fail(Activity? attempt, string message, Exception error) => attempt?.SetStatus(ActivityStatusCode.Error, message).AddException(error);

    /// <summary>Notes on the stage that another attempt follows.</summary>
    public static void Retry(Activity? attempt, int number, string error)
    {
        // The stage's span, or in another process the span of the call that asked for it.
        attempt?.Stop();
        if (attempt is not null) Activity.Current?.AddEvent(new ActivityEvent("retry", tags: new() { ["ssti.stage.attempt"] = number, ["exception.message"] = error }));
    }

    /// <summary>A member of an enumeration as telemetry spells it.</summary>
    public static string Word(StageState state) => state.ToString().ToLowerInvariant();

    private static void Count(Pipeline pipeline, StageResult result)
    {
        var name = new KeyValuePair<string, object?>("ssti.pipeline.name", pipeline.Name);
        var uses = new KeyValuePair<string, object?>("ssti.stage.uses", result.Instance.Kind.Name);
        if (EngineTelemetry.Stages.Enabled) EngineTelemetry.Stages.Add(1, new("ssti.stage.state", Word(result.State)), uses, name);
        if (result.Durations is not { } durations) return;
        EngineTelemetry.QueueTime.Record(durations.Queue, uses, name);
        EngineTelemetry.ExecuteTime.Record(durations.Execute, uses, name);
    }

    private static void Describe(Activity span, StageResult result)
    {
        span.SetTag("ssti.stage.state", Word(result.State)).SetTag("ssti.stage.attempts", result.Attempts);
        if (result.Key is { } key) span.SetTag("ssti.stage.key", key.ToString());
        if (result.Tree is { } tree) span.SetTag("ssti.stage.tree", tree.ToString());
        if (result.Reasons.Count > 0) span.SetTag("ssti.stage.reasons", result.Reasons.Select(reason => reason.ToString()).ToArray());
        if (result.Gpus.Count > 0) span.SetTag("ssti.stage.gpus", result.Gpus.ToArray());
        if (result.PerGpu > 1) span.SetTag("ssti.stage.per_gpu", result.PerGpu);
        if (result.Together > 1) span.SetTag("ssti.stage.together", result.Together);
        if (result.Warnings.Count > 0) span.SetTag("ssti.stage.warnings", result.Warnings.ToArray());
        if (result.State == StageState.Skipped) span.SetTag("ssti.stage.skipped.because", result.Error);
        if (result.Durations is { } durations)
        {
            span.SetTag("ssti.stage.duration.queue", durations.Queue).SetTag("ssti.stage.duration.fetch", durations.Fetch)
                .SetTag("ssti.stage.duration.execute", durations.Execute).SetTag("ssti.stage.duration.store", durations.Store);
        }

        foreach (var (metric, value) in result.Metrics ?? [])
        {
            if (value is not System.Text.Json.Nodes.JsonValue simple) continue;
            object? tag = simple.TryGetValue(out long whole) ? whole : simple.TryGetValue(out int small) ? (long)small : simple.TryGetValue(out double number) ? number
                : simple.TryGetValue(out string? text) ? text : simple.ToJsonString();
            span.SetTag($"ssti.stage.metric.{metric}", tag);
        }
    }
}
