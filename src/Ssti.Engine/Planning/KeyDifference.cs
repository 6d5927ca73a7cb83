using System.Text.Json.Nodes;
using Ssti.Store.Json;

namespace Ssti.Engine.Planning;

/// <summary>Compares two key documents field by field.</summary>
public static class KeyDifference
{
    /// <summary>What changed, in the order of the closed list of reasons; empty when nothing did.</summary>
    /// <param name="before">The earlier document.</param>
    /// <param name="now">The document now; a field <c>inputs</c> that is missing is not compared.</param>
    public static IReadOnlyList<Reason> Between(JsonObject before, JsonObject now)
    {
        try
        {
            var reasons = new List<Reason>();
            // Documents of two forms say the same in different words: what else differs between them tells nothing.
            Compare("schema", ReasonKind.SchemaChanged, before["schema"], now["schema"], reasons);
            if (reasons.Count > 0) return reasons;
            foreach (var (field, kind) in Fields)
            {
                if (field == "inputs" && !now.ContainsKey(field)) continue;
                Compare(field, kind, before[field], now[field], reasons);
                // So do parameters and versions of two kinds.
                if (kind == ReasonKind.KindChanged && reasons.Count > 0) return reasons;
            }

            return reasons;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            // The earlier document is damaged in a way that parses: nothing can be learnt from it.
            return [];
        }
    }

    private static readonly (string Field, ReasonKind Kind)[] Fields =
    [
        ("kind", ReasonKind.KindChanged), ("version", ReasonKind.VersionChanged),
        ("parameters", ReasonKind.ParameterChanged), ("inputs", ReasonKind.InputChanged), ("numerics", ReasonKind.NumericsChanged),
        ("seed", ReasonKind.SeedChanged), ("salt", ReasonKind.SaltChanged), ("profile", ReasonKind.ProfileChanged),
    ];

    private static void Compare(string path, ReasonKind kind, JsonNode? before, JsonNode? now, List<Reason> reasons)
    {
        // Inputs are told of as a whole: which tree of a list moved where is no help. So are lists, and sources (whose name says more than their digest).
        if (before is JsonObject a && now is JsonObject b && !IsSource(a) && !IsSource(b))
        {
            foreach (var name in a.Select(p => p.Key).Union(b.Select(p => p.Key)).Order(StringComparer.Ordinal))
            {
                var (there, here) = (a.ContainsKey(name), b.ContainsKey(name));
                if (there && here) Compare($"{path}.{name}", kind, a[name], b[name], reasons);
                else reasons.Add(new Reason(kind, $"{path}.{name}", there ? Text(a[name]) : null, here ? Text(b[name]) : null));
            }

            return;
        }

        var (old, current) = (CanonicalJson.Write(before), CanonicalJson.Write(now));
        if (old == current) return;
        var detail = IsSource(before) && IsSource(now) ? "content of the source" : null;
        // A seed, a salt and a profile may be missing altogether; of a parameter 'null' is a value.
        var mayLack = kind is ReasonKind.SaltChanged or ReasonKind.SeedChanged or ReasonKind.ProfileChanged;
        reasons.Add(new Reason(kind, path, before is null && mayLack ? null : Text(before), now is null && mayLack ? null : Text(now), detail));
    }

    private static bool IsSource(JsonNode? node) => node is JsonObject source && source.ContainsKey("sha256");

    private static string Text(JsonNode? node) => node switch
    {
        JsonObject source when IsSource(source) => source["sha256"]!.GetValue<string>(),
        JsonArray { Count: 1 } one when one[0] is JsonValue value && value.ToString() is { } text && Store.Digest.TryParse(text, out _) => text,
        JsonArray { Count: 1 } one when one[0] is JsonObject entry && entry.ContainsKey("tree") => entry["tree"]!.GetValue<string>(),
        _ => CanonicalJson.Write(node),
    };
}
