using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>
/// What <c>ssti run</c> does on a store that it may only read: where everything is cached there is nothing to write, and the tables are what was asked for.
/// </summary>
internal static class ReadOnlyRun
{
    /// <summary>Prints the tables of a pipeline that is cached whole. The run is noted nowhere, and that is said.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="session">The pipeline and its store.</param>
    /// <param name="options">What of it was to run, and whether warnings are failures.</param>
    /// <param name="refused">Why the store cannot be written.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">Something would have to run.</exception>
    public static async Task<int> ShowAsync(
        CliHost host, ParseResult parsed, PipelineSession session, RunOptions options, StoreException refused, CancellationToken cancellation)
    {
        var (selection, strict) = (options.Selection, options.Strict);
        var plan = await session.Runner.PlanAsync(session.Pipeline, selection, cancellation);
        var stale = plan.Stages.Where(stage => stage.State != PlanState.Cached).Select(stage => stage.Instance.Name).ToList();
        if (stale.Count > 0) throw new StoreException($"{refused.Message}; it would have to be, for {Words.List(stale)} would run ('ssti plan' says why)", refused);
        var tables = await TableOutput.OfAsync(session, plan.Stages.Select(stage => (stage.Instance, stage.Hit?.Tree)), cancellation);
        if (parsed.GetValue(CommonOptions.Json))
        {
            var json = PlanText.Json(plan);
            json["run"] = null;
            json["outcome"] = "succeeded";
            json["warnings"] = new JsonArray([.. plan.Stages.SelectMany(stage => stage.Hit!.Warnings.Select(warning => JsonValue.Create($"{stage.Instance.Name}: {warning}")))]);
            json["tables"] = new JsonObject(tables.Select(table => KeyValuePair.Create(table.Stage, JsonNode.Parse(table.Table.ToJson()))));
            JsonOutput.Write(host.Terminal.Out, json);
        }
        else
        {
            foreach (var (_, table) in tables) host.Terminal.Out.WriteLine(table.ToConsole(host.Terminal.Columns));
        }

        WarningText.Write(host.Terminal.Error, plan.Stages.Select(stage => (stage.Instance.Name, stage.Hit!.Warnings)), plan.Warnings);
        CommonOptions.Note(parsed, host, $"all {Amounts.Of(plan.Stages.Count, "stage")} cached; {session.Workspace.Root} can only be read, so this run is noted nowhere");
        return strict && (plan.Warnings.Count > 0 || plan.Stages.Any(stage => stage.Hit!.Warnings.Count > 0)) ? ExitCodes.Failed : ExitCodes.Done;
    }
}
