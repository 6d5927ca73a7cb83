using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Reporting.Measures;

namespace Ssti.Cli.Display;

/// <summary>What differs between runs, in full, for programs. Lists of values are in the order of <c>runs</c>.</summary>
internal static class DiffJson
{
    public static JsonObject Of(RunDifference difference, OutputDifferences outputs) => new()
    {
        ["runs"] = List(difference.Runs, run => new JsonObject
        {
            ["run"] = run.Id, ["pipeline"] = run.Pipeline, ["profile"] = run.Profile, ["outcome"] = run.Outcome ?? "unfinished",
        }),
        ["same"] = difference.Same,
        // A metric is JSON already; a parameter is the text that the pipeline has.
        ["parameters"] = List(difference.Parameters, value => new JsonObject { ["name"] = value.Name, ["values"] = List(value.Values, text => text) }),
        ["stages"] = List(difference.Stages, stage => new JsonObject
        {
            ["stage"] = stage.Stage,
            ["states"] = List(stage.Runs, run => run?.State),
            ["keys"] = List(stage.Runs, run => run?.Key?.ToString()),
            ["causes"] = PlanText.Reasons(stage.Causes),
            ["metrics"] = List(stage.Metrics, value => new JsonObject
            {
                ["name"] = value.Name, ["values"] = List(value.Values, text => text is null ? null : JsonNode.Parse(text)),
            }),
            ["files"] = List(stage.Files, file => new JsonObject { ["path"] = file.Path, ["digests"] = List(file.Digests, digest => digest?.ToString()) }),
        }),
        ["measures"] = List(outputs.Measures, measure => new JsonObject
        {
            ["stage"] = measure.Stage, ["measure"] = measure.Name, ["unit"] = measure.Described.Unit, ["definition"] = measure.Described.Definition,
            ["values"] = List(measure.Values, Reading),
        }),
        ["tables"] = List(outputs.Tables, table => new JsonObject
        {
            ["stage"] = table.Stage,
            ["title"] = table.Title,
            ["cells"] = List(table.Cells, cell => new JsonObject { ["row"] = cell.Row, ["column"] = cell.Column, ["values"] = List(cell.Values, text => text) }),
        }),
        ["claims"] = List(outputs.Claims, claim => new JsonObject
        {
            ["stage"] = claim.Stage, ["claim"] = claim.Sentence, ["verdicts"] = List(claim.Verdicts, verdict => verdict?.ToString()),
        }),
    };

    private static JsonNode? Reading(Reading? reading) => reading is null ? null : new JsonObject
    {
        ["value"] = reading.Value, ["low"] = reading.Interval95?.Low, ["high"] = reading.Interval95?.High, ["rows"] = reading.Rows, ["reason"] = reading.Reason,
    };

    private static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode?> node) => new([.. items.Select(node)]);
}
