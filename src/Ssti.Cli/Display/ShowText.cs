using System.Text.Json.Nodes;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>What <c>ssti show</c> found, as indented lines: the fields of its JSON, one a line, nothing left out; the stages of a run as a table.</summary>
internal static class ShowText
{
    public static void Write(Terminal terminal, JsonObject found)
    {
        var output = terminal.Out;
        if (found["stages"] is JsonArray stages && found.Count == 1)
        {
            foreach (var stage in stages)
            {
                Fields(output, stage!.AsObject(), 0);
                output.WriteLine();
            }

            return;
        }

        if (found.ContainsKey("run") && found["stages"] is JsonArray ran)
        {
            Fields(output, new JsonObject(found.Where(field => field.Key != "stages").Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()))), 0);
            output.WriteLine();
            output.Write(Stages(ran).ToConsole(terminal.Columns));
            WarningText.Write(output, ran.Select(stage => ((string)stage!["stage"]!, Texts(stage["warnings"]))), []);
            return;
        }

        Fields(output, found, 0);
    }

    private static Table Stages(JsonArray stages) => new(
        "Stages",
        [new("stage", "stage", Align.Left), new("uses", "uses", Align.Left), new("state", "state", Align.Left), new("time", "time"), new("key", "key", Align.Left),
            new("tree", "tree", Align.Left), new("why", "why", Align.Left)],
        [.. stages.Select(stage => (IReadOnlyList<Cell>)
        [
            Text(stage!["stage"]), Text(stage["uses"]), Text(stage["state"]),
            new TextCell(stage["seconds"] is { } seconds
                ? Durations.Show(seconds.GetValue<double>()) + Words.Together(stage["together"]!.GetValue<int>()) : ""),
            Short(stage["key"]), Short(stage["tree"]),
            stage["error"] is { } error ? Text(error) : new TextCell(string.Join("; ", stage["reasons"]!.AsArray().Select(reason => (string?)reason!["text"]))),
        ])],
        []);

    private static IReadOnlyList<string> Texts(JsonNode? node) => [.. node!.AsArray().Select(text => (string)text!)];

    private static TextCell Text(JsonNode? node) => new(((string?)node ?? "").ReplaceLineEndings(" "));

    private static TextCell Short(JsonNode? digest) => new((string?)digest is { Length: >= 12 } text ? text[..12] : "");

    private static void Fields(TextWriter output, JsonObject fields, int depth)
    {
        foreach (var (name, value) in fields)
        {
            var margin = new string(' ', 2 * depth);
            switch (value)
            {
                case null or JsonObject { Count: 0 } or JsonArray { Count: 0 }:
                    break;
                case JsonObject inner:
                    output.WriteLine($"{margin}{name}:");
                    Fields(output, inner, depth + 1);
                    break;
                case JsonArray items when items.Any(item => item is JsonObject) || name == "warnings":
                    output.WriteLine($"{margin}{name}:");
                    foreach (var item in items) output.WriteLine($"{margin}  {OneLine(item)}");
                    break;
                default:
                    output.WriteLine($"{margin}{name}: {OneLine(value)}");
                    break;
            }
        }
    }

    private static string OneLine(JsonNode? node) => node switch
    {
        JsonObject fields => string.Join("  ", fields.Where(field => field.Value is not null).Select(field => $"{field.Key} {OneLine(field.Value)}")),
        JsonArray items => string.Join(", ", items.Select(OneLine)),
        _ => node?.ToString() ?? "",
    };
}
