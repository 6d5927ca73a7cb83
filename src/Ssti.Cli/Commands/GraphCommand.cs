using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Planning;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti graph</c>: a pipeline as a picture's source.</summary>
internal static class GraphCommand
{
    private static readonly Option<bool> Dot = new("--dot") { Description = "Write Graphviz's DOT instead of Mermaid." };
    private static readonly Option<bool> Cells = new("--cells") { Description = "A node for each cell of a matrix instead of one for each stage." };

    public static Command Create(CliHost host)
    {
        var command = new Command("graph", "Print a pipeline as a graph, in Mermaid or DOT; stages that would run are marked.");
        command.Add(PipelineOptions.Pipeline);
        foreach (var option in new Option[] { Dot, Cells, PipelineOptions.Until, PipelineOptions.Set, PipelineOptions.Device, CommonOptions.Store }) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var session = PipelineSession.Open(parsed, host);
            var plan = await session.Runner.PlanAsync(session.Pipeline, new RunSelection { Until = parsed.GetValue(PipelineOptions.Until) ?? [] }, cancellation);
            var graph = StageGraph.Of(plan, parsed.GetValue(Cells));
            await host.Terminal.Out.WriteAsync(parsed.GetValue(Dot) ? graph.ToDot() : graph.ToMermaid());
            return ExitCodes.Done;
        });
        return command;
    }
}
