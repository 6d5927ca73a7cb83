using System.Text.Json.Nodes;
using Ssti.Store;

namespace Ssti.Engine.Planning;

/// <summary>What is known of a stage when its plan is decided.</summary>
/// <param name="Lookup">What the store has under its key; null while the key is not known.</param>
/// <param name="StaleUpstream">Instances it needs whose outputs are not known yet.</param>
/// <param name="Forced">Whether it is to run although cached.</param>
/// <param name="Now">Its key document, without <c>inputs</c> while those are not known. Asked for only when there is something to explain.</param>
/// <param name="Before">The key document of its nearest earlier record, or null.</param>
/// <param name="LastKey">Its last key, whether there still is a record or not.</param>
internal sealed record StageFacts(
    ActionLookup? Lookup, IReadOnlyList<string> StaleUpstream, bool Forced, Func<JsonObject> Now, Func<JsonObject?> Before, Digest? LastKey);

/// <summary>Decides whether a stage runs, and why: a function of what is known, and of nothing else.</summary>
internal static class StageDecision
{
    /// <summary>The reasons to run; none when the stage is cached.</summary>
    public static IReadOnlyList<Reason> Decide(StageFacts facts)
    {
        if (facts.Lookup is { Hit: not null }) return facts.Forced ? [new Reason(ReasonKind.Forced)] : [];
        var reasons = new List<Reason>();
        if (facts.Forced) reasons.Add(new Reason(ReasonKind.Forced));
        if (facts.Lookup is { Damages: [var damage, ..] }) reasons.Add(new Reason(ReasonKind.OutputMissing, Detail: damage));
        else if (facts.Before() is { } before) reasons.AddRange(KeyDifference.Between(before, facts.Now()));
        foreach (var upstream in facts.StaleUpstream) reasons.Add(new Reason(ReasonKind.UpstreamStale, upstream));
        if (reasons.Count > 0) return reasons;
        // It ran with this very key, and now there is nothing under it: collected, or the folder was tampered with.
        var gone = facts.Lookup is { } lookup && facts.LastKey == lookup.Key;
        return [gone ? new Reason(ReasonKind.OutputMissing, Detail: "its record is gone") : new Reason(ReasonKind.NoRecord)];
    }
}
