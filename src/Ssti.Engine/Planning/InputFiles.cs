using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Store;

namespace Ssti.Engine.Planning;

/// <summary>Says how much of an input differs: "3 of 5 files differ" says more than two digests.</summary>
internal sealed class InputFiles(IArtifactStore store)
{
    private const int MostNamed = 2;

    /// <summary>The reason with what can be said of its input; others as they are.</summary>
    public async Task<Reason> DescribeAsync(Reason reason, CancellationToken cancellation)
    {
        if (reason.Kind != ReasonKind.InputChanged) return reason;
        if (Digest.TryParse(reason.Old, out var before) && Digest.TryParse(reason.New, out var now))
            return await FilesAsync(before, now, cancellation).ConfigureAwait(false) is var (differing, all) && all > 0
                ? reason with { Detail = $"{differing} of {all} files differ" } : reason;
        return Trees(reason.Old) is { } old && Trees(reason.New) is { } current
            ? reason with { Detail = await ManyAsync(old, current, cancellation).ConfigureAwait(false) } : reason;
    }

    // An input that takes many: which of them changed, and how many files that is in all.
    private async Task<string> ManyAsync(IReadOnlyList<(string Name, Digest Tree)> old, IReadOnlyList<(string Name, Digest Tree)> now, CancellationToken cancellation)
    {
        var before = old.DistinctBy(entry => entry.Name).ToDictionary(entry => entry.Name, entry => entry.Tree);
        var after = now.DistinctBy(entry => entry.Name).ToDictionary(entry => entry.Name, entry => entry.Tree);
        var parts = new List<string>();
        var changed = after.Where(entry => before.TryGetValue(entry.Key, out var tree) && tree != entry.Value).ToList();
        var (added, removed) = (after.Keys.Except(before.Keys).ToList(), before.Keys.Except(after.Keys).ToList());
        if (changed.Count > 0)
        {
            var (differing, all) = (0, 0);
            foreach (var (name, tree) in changed)
            {
                var (some, of) = await FilesAsync(before[name], tree, cancellation).ConfigureAwait(false);
                (differing, all) = (differing + some, all + of);
            }

            var named = changed.Take(MostNamed).Select(entry => $"{entry.Key} from {before[entry.Key].Short} to {entry.Value.Short}");
            var files = all > 0 ? $" in {differing} of {all} files" : "";
            parts.Add($"{changed.Count} of {after.Count} trees differ{files}: {string.Join(", ", named)}{More(changed.Count)}");
        }

        if (added.Count > 0) parts.Add($"{added.Count} added: {string.Join(", ", added.Take(MostNamed))}{More(added.Count)}");
        if (removed.Count > 0) parts.Add($"{removed.Count} removed: {string.Join(", ", removed.Take(MostNamed))}{More(removed.Count)}");
        return parts.Count > 0 ? string.Join("; ", parts) : "the same trees in another order or of other cells";
    }

    private static string More(int count) => count > MostNamed ? $" and {count - MostNamed} more" : "";

    // The entries of an input as a key document has them: objects with stage and tree, or trees alone, which then go by their place.
    private static List<(string Name, Digest Tree)>? Trees(string? json)
    {
        if (json is null || json.Length == 0 || json[0] != '[') return Digest.TryParse(json, out var one) ? [("1", one)] : null;
        try
        {
            var trees = new List<(string, Digest)>();
            foreach (var item in JsonNode.Parse(json)!.AsArray())
            {
                var (name, text) = item is JsonObject entry ? ((string?)entry["stage"] ?? $"{trees.Count + 1}", (string?)entry["tree"])
                    : ($"{trees.Count + 1}", (string?)item);
                if (!Digest.TryParse(text, out var tree)) return null;
                trees.Add((name, tree));
            }

            return trees;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>How many files differ, of how many; none of none where a tree was collected, and the digests have to do.</summary>
    private async Task<(int Differing, int All)> FilesAsync(Digest before, Digest now, CancellationToken cancellation)
    {
        try
        {
            var old = (await store.TreeAsync(before, cancellation).ConfigureAwait(false)).Files.ToDictionary(f => f.Path, f => f.Digest);
            var current = (await store.TreeAsync(now, cancellation).ConfigureAwait(false)).Files.ToDictionary(f => f.Path, f => f.Digest);
            var all = old.Keys.Union(current.Keys).ToList();
            return (all.Count(path => !old.TryGetValue(path, out var a) || !current.TryGetValue(path, out var b) || a != b), all.Count);
        }
        catch (StoreException)
        {
            return default;
        }
    }
}
