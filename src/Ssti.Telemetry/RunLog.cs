using Microsoft.Extensions.Logging;
using Ssti.Engine.Running;

namespace Ssti.Telemetry;

/// <summary>Writes what a run tells as structured log records. They belong to the span in which they are told: that of the stage, or of the run.</summary>
internal sealed class RunLog(ILogger logger)
{
    private const string Stage = "ssti.stage.name";

    /// <summary>Writes an event, if it is one that says something.</summary>
    public void On(RunEvent happened)
    {
        switch (happened)
        {
            case RunEvent.PlanReady ready:
                var cached = ready.Plan.Stages.Count(stage => stage.State == Engine.Planning.PlanState.Cached);
                Write(LogLevel.Information, $"run {ready.RunId}: {ready.Plan.Stages.Count} stages, {cached} of them cached", ("ssti.run.id", ready.RunId));
                break;
            case RunEvent.StageStarted { Stage: var started }:
                Write(LogLevel.Information, $"{started.Instance.Name}: started because {string.Join("; ", started.Reasons)}", (Stage, started.Instance.Name));
                break;
            case RunEvent.StageWaiting { Instance: var waiting }:
                Write(LogLevel.Information, $"{waiting.Name}: another process is at work on it; waiting", (Stage, waiting.Name));
                break;
            case RunEvent.StageLogged logged:
                Write(LogLevel.Information, logged.Line, (Stage, logged.Instance.Name));
                break;
            case RunEvent.StageRetried retried:
                Write(
                    LogLevel.Warning, $"{retried.Instance.Name}: attempt {retried.Attempt} failed ({retried.Error}); trying again",
                    (Stage, retried.Instance.Name), ("ssti.stage.attempt", retried.Attempt));
                break;
            case RunEvent.StageFinished { Result: { State: not (StageState.Cached or StageState.Skipped) } result }:
                Finished(result);
                break;
            case RunEvent.Warned warned:
                Write(LogLevel.Warning, warned.Message);
                break;
            case RunEvent.RunFinished { Result: var run }:
                Write(
                    run.Outcome == RunOutcome.Succeeded ? LogLevel.Information : LogLevel.Error, $"run {run.RunId}: {run.Outcome.ToString().ToLowerInvariant()}",
                    ("ssti.run.id", run.RunId), ("ssti.run.seconds", run.Seconds));
                break;
        }
    }

    private void Finished(StageResult result)
    {
        var name = result.Instance.Name;
        if (result.State == StageState.Done) Write(LogLevel.Information, $"{name}: done", (Stage, name), ("ssti.stage.tree", result.Tree?.ToString()));
        else Write(LogLevel.Error, $"{name}: {result.State.ToString().ToLowerInvariant()}: {result.Error}", (Stage, name));
    }

    private void Write(LogLevel level, string message, params (string Key, object? Value)[] attributes) => logger.Log(
        level, default, attributes.Where(attribute => attribute.Value is not null).Select(attribute => KeyValuePair.Create(attribute.Key, attribute.Value)).ToList(),
        null, (_, _) => message);
}
