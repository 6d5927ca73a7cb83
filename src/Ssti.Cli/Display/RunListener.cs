using Ssti.Engine.Running;

namespace Ssti.Cli.Display;

/// <summary>Passes on to a display what a run tells, and to one more listener if there is one.</summary>
internal sealed class RunListener(IRunDisplay display, bool verbose, TimeProvider time, IRunListener? next = null) : IRunListener
{
    private RunForecast? _forecast;

    public void On(RunEvent happened)
    {
        next?.On(happened);
        if (happened is RunEvent.PlanReady { Plan: var plan }) _forecast = new RunForecast(plan, time);
        if (happened is RunEvent.StageFinished { Result: var over }) _forecast?.Finished(over);
        switch (happened)
        {
            case RunEvent.PlanReady ready:
                display.Info($"run {ready.RunId}: {PlanText.Summary(ready.Plan)}");
                break;
            case RunEvent.StageStarted started:
                display.Started(started.Stage.Instance.Name, _forecast?.Of(started.Stage) ?? default);
                if (verbose) display.Info($"{started.Stage.Instance.Name}: runs because {ReasonText.Join(started.Stage.Reasons)}");
                break;
            case RunEvent.StageWaiting waiting:
                display.Info($"{waiting.Instance.Name}: waiting: {waiting.For}");
                break;
            case RunEvent.StageProgressed progressed:
                display.Progress(progressed.Instance.Name, progressed.Progress);
                break;
            case RunEvent.StageLogged logged when verbose:
                display.Info($"{logged.Instance.Name}| {logged.Line}");
                break;
            case RunEvent.StageRetried retried:
                display.Warn($"{retried.Instance.Name}: attempt {retried.Attempt} failed ({retried.Error}); trying again");
                break;
            case RunEvent.StageFinished { Result: { State: StageState.Done } done }:
                var time = Durations.Show(done.Durations!.Execute) + Words.Together(done.Together);
                display.Finished(done.Instance.Name, $"done in {time} ({_forecast}){Warned(done)}");
                break;
            case RunEvent.StageFinished { Result: { State: StageState.Failed or StageState.Cancelled } ended }:
                display.Finished(ended.Instance.Name, ended.State == StageState.Failed ? "failed" : "interrupted");
                break;
            case RunEvent.Unrecorded unrecorded:
                display.Info($"this run is not recorded: {unrecorded.Why}");
                break;
            case RunEvent.Warned warned:
                display.Warn($"warning: {warned.Message}");
                break;
        }
    }

    // What it warned of is told at the end, when nobody has to look for it among other lines.
    private static string Warned(StageResult result) => result.Warnings.Count == 0 ? "" : $", {Amounts.Of(result.Warnings.Count, "warning")}";
}
