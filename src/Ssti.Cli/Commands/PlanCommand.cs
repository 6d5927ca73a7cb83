using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Planning;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti plan</c>: what a run would do, and why.</summary>
internal static class PlanCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("plan", "Say what a run would do, and why; run nothing.");
        PipelineOptions.AddTo(command);
        command.Add(PipelineOptions.Question);
        command.Add(PipelineOptions.Locked);
        command.Add(ClusterRun.Option);
        command.SetAction((parsed, cancellation) => ShowAsync(host, parsed, cancellation));
        return command;
    }

    /// <summary>Shows the plan; <c>ssti run -n</c> does the same.</summary>
    public static async Task<int> ShowAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        await using var cluster = await ClusterRun.OpenAsync(parsed, host, cancellation);
        using var session = PipelineSession.Open(parsed, host, cluster);
        var plan = await session.PlanAsync(parsed, cancellation);
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, PlanText.Json(plan));
        else PlanText.Write(host.Terminal, plan, parsed.GetValue(CommonOptions.Verbose));
        PlanText.WriteWarnings(host.Terminal.Error, plan);
        return plan.IsStale && parsed.GetValue(PipelineOptions.Question) ? ExitCodes.Stale : ExitCodes.Done;
    }
}
