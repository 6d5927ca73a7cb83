using System.Text;
using Ssti.Cli.Commands;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>Finds the tables that a run ended in.</summary>
internal static class TableOutput
{
    /// <summary>The tables of a run's stages of kind <c>table</c>, cached ones too, in the pipeline's order.</summary>
    public static async Task<IReadOnlyList<(string Stage, Table Table)>> OfAsync(
        PipelineSession session, RunResult result, CancellationToken cancellation)
    {
        var tables = new List<(string, Table)>();
        // Of a stage that 'run --strict' fails for its warnings there are outputs as well.
        foreach (var stage in result.Stages.Where(stage => stage.State is StageState.Done or StageState.Cached))
        {
            // By the file and not the type: a kind of another assembly may leave tables too.
            if (stage is not { Instance.Kind.Name: "table", Tree: { } digest }) continue;
            var tree = await session.Store.TreeAsync(digest, cancellation);
            if (tree.Files.FirstOrDefault(file => file.Path == TableStage.JsonFile) is not { Path: not null } file) continue;
            using var reader = new StreamReader(await session.Store.CheckedPathAsync(file.Digest, cancellation), Encoding.UTF8);
            tables.Add((stage.Instance.Name, Table.FromJson(await reader.ReadToEndAsync(cancellation))));
        }

        return tables;
    }
}
