using System.Text.Json.Nodes;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>A run that is over, for people and for programs.</summary>
internal static class RunText
{
    /// <summary>The closing table, a row a stage (with <paramref name="verbose"/> a row a cell), then what failed and where to read on.</summary>
    public static void Write(TextWriter output, RunResult result, bool verbose)
    {
        var rows = verbose
            ? result.Stages.Select(stage => Row(stage.Instance.Name, stage.Instance.Kind.Name, [stage]))
            : result.Stages.GroupBy(stage => stage.Instance.Stage).Select(cells => Row(cells.Key, cells.First().Instance.Kind.Name, [.. cells]));
        var executed = result.Stages.Count(stage => stage.State == StageState.Done);
        var cached = result.Stages.Count(stage => stage.State == StageState.Cached);
        var table = new Table(
            $"Run {result.RunId}: {result.Outcome.ToString().ToLowerInvariant()} in {Durations.Show(result.Seconds)}; {executed} executed, {cached} cached",
            [new("stage", "stage", Align.Left), new("uses", "uses", Align.Left), new("cells", "cells"), new("state", "state", Align.Left), new("time", "time")],
            [.. rows],
            []);
        output.Write(table.ToConsole());
    }

    /// <summary>What failed, why, and which log to read.</summary>
    public static void WriteFailures(TextWriter error, RunResult result)
    {
        foreach (var stage in result.Stages.Where(stage => stage.State == StageState.Failed))
        {
            error.WriteLine($"{stage.Instance.Name} failed: {stage.Error}");
            if (stage.LogPath is not null) error.WriteLine($"  its log: {stage.LogPath}");
        }
    }

    public static JsonObject Json(RunResult result, IEnumerable<(string Stage, Table Table)> tables) => new()
    {
        ["run"] = result.RunId,
        ["outcome"] = result.Outcome.ToString().ToLowerInvariant(),
        ["seconds"] = Math.Round(result.Seconds, 3),
        ["stages"] = new JsonArray([.. result.Stages.Select(stage => new JsonObject
        {
            ["stage"] = stage.Instance.Name,
            ["uses"] = stage.Instance.Kind.Name,
            ["state"] = stage.State.ToString().ToLowerInvariant(),
            ["key"] = stage.Key?.ToString(),
            ["tree"] = stage.Tree?.ToString(),
            ["seconds"] = stage.Durations is { } durations ? Math.Round(durations.Execute, 3) : null,
            ["attempts"] = stage.Attempts,
            ["reasons"] = PlanText.Reasons(stage.Reasons),
            ["metrics"] = stage.Metrics?.DeepClone(),
            ["error"] = stage.Error,
            ["log"] = stage.LogPath,
        })]),
        ["tables"] = new JsonObject(tables.Select(table => KeyValuePair.Create(table.Stage, JsonNode.Parse(table.Table.ToJson())))),
    };

    private static IReadOnlyList<Cell> Row(string name, string uses, IReadOnlyList<StageResult> cells)
    {
        var states = cells.GroupBy(cell => cell.State).OrderBy(group => group.Key).ToArray();
        var executed = cells.Where(cell => cell.Durations is not null).ToArray();
        return
        [
            new TextCell(name), new TextCell(uses), new NumberCell(NumberFormat.Count, cells.Count),
            new TextCell(string.Join(", ", states.Select(state => $"{state.Key.ToString().ToLowerInvariant()}{(states.Length > 1 ? $" {state.Count()}" : "")}"))),
            new TextCell(executed.Length == 0 ? "" : Durations.Show(executed.Sum(cell => cell.Durations!.Execute))),
        ];
    }
}
