using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>Records and runs as <c>ssti show --json</c> gives them; the text form is made from the same.</summary>
internal static class ShowJson
{
    public static JsonObject Of(ActionRecord record, string stage) => new()
    {
        ["stage"] = stage,
        ["state"] = "cached",
        ["key"] = record.Key.ToString(),
        ["tree"] = record.Tree.ToString(),
        ["made-by"] = new JsonObject
        {
            ["pipeline"] = record.Pipeline, ["stage"] = record.Stage, ["run"] = record.Run, ["started"] = At(record.Started), ["finished"] = At(record.Finished),
            ["attempts"] = record.Attempts, ["device"] = record.Device, ["gpus"] = Numbers(record.Gpus),
            ["per-gpu"] = record.PerGpu, ["together"] = record.Together,
            ["seconds"] = new JsonObject
            {
                ["queue"] = Math.Round(record.Durations.Queue, 3), ["fetch"] = Math.Round(record.Durations.Fetch, 3),
                    ["execute"] = Math.Round(record.Durations.Execute, 3), ["store"] = Math.Round(record.Durations.Store, 3),
            },
            ["versions"] = new JsonObject(record.Versions.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["log"] = record.Log?.ToString(),
        },
        ["files"] = new JsonArray([.. record.Files.Select(file => new JsonObject { ["path"] = file.Path, ["size"] = file.Size, ["digest"] = file.Digest.ToString() })]),
        ["warnings"] = RunText.Texts(record.Warnings),
        ["metrics"] = record.Metrics.DeepClone(),
        ["document"] = record.Document.DeepClone(),
    };

    public static JsonObject Of(PastRun run) => new()
    {
        ["run"] = run.Id,
        ["pipeline"] = run.Pipeline,
        ["file"] = run.File,
        ["place"] = run.Place,
        ["profile"] = run.Profile,
        ["command"] = run.Command,
        ["at"] = At(run.At),
        ["outcome"] = run.Outcome ?? "unfinished",
        ["seconds"] = run.Seconds,
        ["params"] = new JsonObject(run.Parameters.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["warnings"] = RunText.Texts(run.Warnings),
        ["gpus"] = RunTrace.Json(GpuUse.Of(run)),
        ["stages"] = new JsonArray([.. run.Stages.Select(stage => new JsonObject
        {
            ["stage"] = stage.Stage, ["uses"] = stage.Uses, ["state"] = stage.State, ["key"] = stage.Key?.ToString(), ["tree"] = stage.Tree?.ToString(),
            ["seconds"] = stage.Durations?.Execute, ["together"] = stage.Together,
            ["gpus"] = Numbers(stage.Gpus), ["per-gpu"] = stage.PerGpu, ["warnings"] = RunText.Texts(stage.Warnings),
            ["error"] = stage.Error, ["log"] = stage.LogPath, ["reasons"] = PlanText.Reasons(JournalReasons.Of(stage.Reasons)),
        })]),
    };

    private static JsonArray Numbers(IEnumerable<int> numbers) => new([.. numbers.Select(number => (JsonNode)number)]);

    private static string At(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
