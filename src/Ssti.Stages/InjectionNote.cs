using System.Text.Json.Nodes;

namespace Ssti.Stages;

/// <summary>What a dataset's provenance says of tokens put into a split.</summary>
/// <param name="Json">All of it.</param>
/// <param name="Target">The one class whose rows carry tokens; null when every class does.</param>
/// <param name="Rows">How many rows carry tokens.</param>
internal sealed record InjectionNote(JsonObject Json, int? Target, long Rows)
{
    /// <summary>The key of <c>provenance</c> in <c>dataset.json</c>.</summary>
    public const string Key = "injection";

    /// <summary>Reads the note of a split; null when none of its rows carries a token.</summary>
    public static InjectionNote? Of(JsonObject provenance, string split)
    {
        if (provenance[Key] is not JsonObject injection || injection["splits"]?[split]?["rows"] is not { } rows || (long)rows == 0) return null;
        return new InjectionNote((JsonObject)injection.DeepClone(), (int?)injection["target"], (long)rows);
    }
}
