using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;

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
        foreach (var option in (Option[])[Dot, Cells, PipelineOptions.Until, .. PipelineOptions.Overrides, CommonOptions.Store]) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var session = PipelineSession.Open(parsed, host);
            var stages = await StagesAsync(session, new RunSelection { Until = parsed.GetValue(PipelineOptions.Until) ?? [] }, cancellation);
            var graph = StageGraph.Of(session.Pipeline.Name, stages, parsed.GetValue(Cells));
            if (parsed.GetValue(Dot) && parsed.GetValue(CommonOptions.Json)) throw new UserException("--dot or --json: leave one out");
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, graph.ToJson());
            else await host.Terminal.Out.WriteAsync(parsed.GetValue(Dot) ? graph.ToDot() : graph.ToMermaid());
            return ExitCodes.Done;
        });
        return command;
    }

    // A pipeline can be drawn where it cannot be planned, for want of its data or of a GPU: then nothing is marked.
    private static async Task<IReadOnlyList<(StageInstance Instance, bool IsStale)>> StagesAsync(PipelineSession session, RunSelection selection,
        CancellationToken cancellation)
    {
        try
        {
            return [.. (await session.Runner.PlanAsync(session.Pipeline, selection, cancellation)).Stages
                .Select(stage => (stage.Instance, stage.State != PlanState.Cached))];
        }
        catch (StageException) when (selection.Until.Count == 0)
        {
            return [.. session.Pipeline.Instances.Select(instance => (instance, false))];
        }
    }
}
