using System.Text.Json.Nodes;
using Ssti.Engine.Planning;

namespace Ssti.Cli.Display;

/// <summary>Reads reasons back from a journal, so that they are told in the same words as when the stage ran.</summary>
internal static class JournalReasons
{
    /// <summary>The reasons; those of a kind that this version does not know are left out.</summary>
    public static IReadOnlyList<Reason> Of(JsonArray? reasons)
    {
        var found = new List<Reason>();
        foreach (var reason in reasons?.OfType<JsonObject>() ?? [])
        {
            if (Enum.TryParse<ReasonKind>(Text(reason["kind"])?.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var kind))
                found.Add(new Reason(kind, Text(reason["field"]), Text(reason["old"]), Text(reason["new"]), Text(reason["detail"])));
        }

        return found;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
