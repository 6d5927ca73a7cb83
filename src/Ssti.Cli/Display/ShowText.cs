using System.Text.Json.Nodes;

namespace Ssti.Cli.Display;

/// <summary>What <c>ssti show</c> found, as indented lines: the fields of its JSON, one a line, nothing left out.</summary>
internal static class ShowText
{
    public static void Write(TextWriter output, JsonObject found)
    {
        if (found["stages"] is JsonArray stages && found.Count == 1)
        {
            foreach (var stage in stages)
            {
                Fields(output, stage!.AsObject(), 0);
                output.WriteLine();
            }

            return;
        }

        Fields(output, found, 0);
    }

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
                case JsonArray items when items.Any(item => item is JsonObject):
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
