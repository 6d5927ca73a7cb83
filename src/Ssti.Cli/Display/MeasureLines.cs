using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>
/// A measure a line, with all that says where it was taken: run, profile, stage, matrix values, parameters. Long form, as statistics programs take it: a number is
/// never a column's name.
/// </summary>
/// <param name="dimensions">Every matrix dimension of the runs.</param>
/// <param name="parameters">Every pipeline parameter of the runs.</param>
internal sealed class MeasureLines(IReadOnlyList<string> dimensions, IReadOnlyList<string> parameters)
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The columns that some runs need: those of all, so that every line has the same.</summary>
    public static MeasureLines Of(IEnumerable<PastRun> runs)
    {
        var (dimensions, parameters) = (new List<string>(), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var run in runs)
        {
            dimensions.AddRange(run.Stages.SelectMany(stage => stage.Cell.Keys).Distinct().Except(dimensions));
            parameters.UnionWith(run.Parameters.Keys);
        }

        return new(dimensions, [.. parameters]);
    }

    /// <summary>The heading of the CSV.</summary>
    public string Heading() => Csv.Line(
    [
        "run", "begun", "pipeline", "profile", "stage", "uses", "key", .. dimensions.Select(name => $"matrix.{name}"), .. parameters.Select(name => $"params.{name}"),
        "measure", "class", "unit", "value", "low", "high", "rows", "reason", "definition",
    ]);

    /// <summary>A reading as a line of CSV.</summary>
    public string ToCsv(PastRun run, PastStage stage, string measure, string? label, NamedMeasure described, Reading reading) => Csv.Line(
    [
        run.Id, Begun(run), run.Pipeline, run.Profile, stage.Stage, stage.Uses, stage.Key?.ToString(),
        .. dimensions.Select(name => stage.Cell.GetValueOrDefault(name)), .. parameters.Select(name => run.Parameters.GetValueOrDefault(name)),
        measure, label, described.Unit, Csv.Number(reading.Value), Csv.Number(reading.Interval95?.Low), Csv.Number(reading.Interval95?.High),
        reading.Rows?.ToString(CultureInfo.InvariantCulture), reading.Reason, described.Definition,
    ]);

    /// <summary>A reading as a line of JSON.</summary>
    public static string ToJson(PastRun run, PastStage stage, string measure, string? label, NamedMeasure described, Reading reading) => new JsonObject
    {
        ["run"] = run.Id, ["begun"] = Begun(run), ["pipeline"] = run.Pipeline, ["profile"] = run.Profile,
        ["stage"] = stage.Stage, ["uses"] = stage.Uses, ["key"] = stage.Key?.ToString(),
        ["matrix"] = Object(stage.Cell), ["params"] = Object(run.Parameters),
        ["measure"] = measure, ["class"] = label, ["unit"] = described.Unit, ["value"] = reading.Value,
        ["low"] = reading.Interval95?.Low, ["high"] = reading.Interval95?.High, ["rows"] = reading.Rows, ["reason"] = reading.Reason, ["definition"] = described.Definition,
    }.ToJsonString(OneLine) + "\n";

    private static string Begun(PastRun run) => run.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static JsonObject Object(IEnumerable<KeyValuePair<string, string>> values) => new(values.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
}
