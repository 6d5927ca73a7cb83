using System.Text.Json.Nodes;

namespace Ssti.Stages;

/// <summary>What a dataset's provenance says of tokens put into a split.</summary>
/// <param name="Json">All of it.</param>
/// <param name="Target">The one class whose rows carry tokens; null when every class does.</param>
/// <param name="Rows">How many rows carry tokens.</param>
internal sealed record InjectionNote(JsonObject Json, int? Target, long Rows)
{
    /// <summary>
    /// Reads the note of a split out of the provenance that inject stages write: that of the last of them that put tokens into it.
    /// Null when none of its rows carries a token.
    /// </summary>
    public static InjectionNote? Of(JsonObject provenance, string split)
    {
        for (JsonObject? step = provenance; step is not null; step = step["of"] as JsonObject)
        {
            if ((string?)step["stage"] != "inject" || step["splits"]?[split]?["injected"] is not { } injected || (long)injected == 0) continue;
            return new InjectionNote((JsonObject)step.DeepClone(), (int?)step["target-label"], (long)injected);
        }

        return null;
    }
}
