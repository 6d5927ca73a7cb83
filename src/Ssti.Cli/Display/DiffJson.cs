using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>What differs between two runs, in full, for programs.</summary>
internal static class DiffJson
{
    public static JsonObject Of(RunDifference difference, IReadOnlyList<TableDifferences> tables) => new()
    {
        ["before"] = Run(difference.Before),
        ["after"] = Run(difference.After),
        ["same"] = difference.Same,
        ["parameters"] = Values(difference.Parameters, json: false),
        ["stages"] = new JsonArray([.. difference.Stages.Select(stage => new JsonObject
        {
            ["stage"] = stage.Stage,
            ["before"] = stage.Before,
            ["after"] = stage.After,
            ["causes"] = PlanText.Reasons(stage.Causes),
            ["metrics"] = Values(stage.Metrics, json: true),
            ["files"] = new JsonArray([.. stage.Files
                .Select(file => new JsonObject { ["path"] = file.Path, ["before"] = Text(file.Before), ["after"] = Text(file.After) })]),
        })]),
        ["tables"] = new JsonArray([.. tables.Select(table => new JsonObject
        {
            ["stage"] = table.Stage,
            ["title"] = table.Title,
            ["cells"] = new JsonArray([.. table.Cells.Select(cell => new JsonObject
            {
                ["row"] = cell.Row, ["column"] = cell.Column, ["before"] = cell.Before, ["after"] = cell.After,
            })]),
        })]),
    };

    private static JsonObject Run(PastRun run) => new() { ["run"] = run.Id, ["pipeline"] = run.Pipeline, ["profile"] = run.Profile, ["outcome"] = run.Outcome ?? "unfinished" };

    // A metric is JSON already; a parameter is the text that the pipeline has.
    private static JsonArray Values(IReadOnlyList<ValueDifference> values, bool json) => new([.. values.Select(value => new JsonObject
    {
        ["name"] = value.Name,
        ["before"] = value.Before is null ? null : json ? JsonNode.Parse(value.Before) : value.Before,
        ["after"] = value.After is null ? null : json ? JsonNode.Parse(value.After) : value.After,
    })]);

    private static string? Text(Digest? digest) => digest?.ToString();
}
