using System.Globalization;
using System.Text.Json.Nodes;

namespace Ssti.Stages;

/// <summary>What a dataset's provenance says of tokens put into a split.</summary>
/// <param name="Json">All of it.</param>
/// <param name="Target">The one class whose rows carry tokens; null when every class does.</param>
/// <param name="Rows">How many rows carry tokens.</param>
/// <param name="Times">How many inject stages in a row put tokens into this split; what else is told is of the last of them.</param>
/// <param name="Rewritings">What was done to the split's texts since, the last thing first: then the tokens may be gone, and other words changed.</param>
internal sealed record InjectionNote(JsonObject Json, int? Target, long Rows, int Times, IReadOnlyList<string> Rewritings)
{
    /// <summary>The member of provenance by which a stage says what it did to the texts of its splits, in a few words.</summary>
    public const string Rewrites = "rewrites";

    /// <summary>
    /// Reads the note of a split out of the provenance that inject stages write: that of the last of them that put tokens into it.
    /// Null when none of its rows carries a token.
    /// </summary>
    public static InjectionNote? Of(JsonObject provenance, string split)
    {
        InjectionNote? last = null;
        var since = new List<string>();
        for (JsonObject? step = provenance; step is not null; step = step["of"] as JsonObject)
        {
            if (last is null && Rewriting(step, split) is { } rewriting) since.Add(rewriting);
            if ((string?)step["stage"] != "inject" || step["splits"]?[split]?["injected"] is not { } injected || (long)injected == 0) continue;
            last = last is null
                ? new InjectionNote((JsonObject)step.DeepClone(), (int?)step["target-label"], (long)injected, 1, since)
                : last with { Times = last.Times + 1 };
        }

        return last;
    }

    /// <summary>What was done to a split's texts in all, the last thing first.</summary>
    public static IReadOnlyList<string> RewritingsOf(JsonObject provenance, string split)
    {
        var found = new List<string>();
        for (JsonObject? step = provenance; step is not null; step = step["of"] as JsonObject)
            if (Rewriting(step, split) is { } rewriting) found.Add(rewriting);
        return found;
    }

    /// <summary>The provenance of the data themselves, before anything was done to them.</summary>
    public static JsonObject OriginOf(JsonObject provenance)
    {
        while (provenance["of"] is JsonObject of) provenance = of;
        return provenance;
    }

    private static string? Rewriting(JsonObject step, string split) =>
        step["splits"] is JsonObject splits && splits.ContainsKey(split) ? (string?)step[Rewrites] : null;

    /// <summary>
    /// What to say of a proportion that came to no row: data that pass for poisoned are clean. No error, as the reference gives such data too. Null when all is well.
    /// </summary>
    public static string? Missed(double proportion, string split, long injected) => proportion > 0 && injected == 0
        ? string.Create(CultureInfo.InvariantCulture,
            $"split '{split}': a proportion of {proportion} came to no row, so it is clean; take a larger one, or 0 to leave it clean on purpose")
        : null;

    /// <summary>The same of a split that some inject stage left clean so, and no other put a token into.</summary>
    public static string? Missed(JsonObject provenance, string split)
    {
        if (Of(provenance, split) is not null) return null;
        for (JsonObject? step = provenance; step is not null; step = step["of"] as JsonObject)
        {
            if ((string?)step["stage"] != "inject" || step["splits"]?[split]?["injected"] is not { } injected) continue;
            if (Missed((double?)step["proportion"] ?? 0, split, (long)injected) is { } missed) return missed;
        }

        return null;
    }

    /// <summary>The splits that have injected rows, such as <c>train</c>.</summary>
    public static IReadOnlyList<string> SplitsOf(JsonObject provenance)
    {
        var splits = new HashSet<string>();
        for (JsonObject? step = provenance; step is not null; step = step["of"] as JsonObject)
        {
            if ((string?)step["stage"] == "inject" && step["splits"] is JsonObject told) splits.UnionWith(told.Select(split => split.Key));
        }

        return [.. splits.Where(split => Of(provenance, split) is not null).Order(StringComparer.Ordinal)];
    }
}
