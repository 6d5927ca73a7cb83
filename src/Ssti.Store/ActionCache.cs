namespace Ssti.Store;

/// <summary>Looks actions up: the one rule of what a hit is.</summary>
public static class ActionCache
{
    /// <summary>
    /// Finds the usable record of each key: the newest whose tree and files all exist with the right size. In the order asked.
    /// </summary>
    /// <remarks>Existence and size only: content is checked by <c>verify</c>, not on every run.</remarks>
    public static async Task<ActionLookup[]> FindAsync(this IArtifactStore store, IReadOnlyList<Digest> keys, CancellationToken cancellation = default)
    {
        var summaries = await store.SummariesAsync(keys, cancellation).ConfigureAwait(false);
        // A file that many outputs share, such as a vocabulary handed on from stage to stage, is looked at once.
        var places = new Dictionary<Digest, int>(keys.Count * 2);
        foreach (var found in summaries)
            foreach (var summary in found)
            {
                places.TryAdd(summary.Tree, places.Count);
                foreach (var file in summary.Files) places.TryAdd(file.Digest, places.Count);
            }

        var sizes = await store.SizesAsync([.. places.Keys], cancellation).ConfigureAwait(false);
        var results = new ActionLookup[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            RecordSummary? hit = null;
            List<string>? damages = null;
            foreach (var summary in summaries[i])
            {
                var tree = sizes[places[summary.Tree]];
                var whole = Tree.SizeOf(summary.Files);
                var damage = summary.Damage;
                if (tree < 0) damage ??= $"the tree {summary.Tree.Short} is missing";
                else if (tree != whole) damage ??= $"the tree {summary.Tree.Short} has {tree} bytes, not {whole}";
                foreach (var file in summary.Files)
                {
                    var size = sizes[places[file.Digest]];
                    if (size == file.Size) continue;
                    damage ??= size < 0 ? $"'{file.Path}' ({file.Digest.Short}) is missing" : $"'{file.Path}' ({file.Digest.Short}) has {size} bytes, not {file.Size}";
                }

                if (damage is null) hit ??= summary;
                else (damages ??= []).Add(damage);
            }

            results[i] = new ActionLookup(keys[i], hit, damages ?? (IReadOnlyList<string>)[], summaries[i].Count);
        }

        return results;
    }

    /// <summary>Reads a tree.</summary>
    /// <exception cref="StoreException">It is missing or damaged; then it is out of use, and the next run rebuilds it.</exception>
    public static async Task<Tree> TreeAsync(this IArtifactStore store, Digest tree, CancellationToken cancellation = default)
    {
        var path = await store.CheckedPathAsync(tree, cancellation).ConfigureAwait(false);
        var parsed = Tree.Parse(await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false));
        return parsed.Digest == tree
            ? parsed
            : throw new StoreException($"the tree {tree} in {store.Location} is not written as trees are; delete it and run again to rebuild it");
    }

    /// <summary>Stores a tree whose files are stored already.</summary>
    public static Task PutTreeAsync(this IArtifactStore store, Tree tree, CancellationToken cancellation = default) =>
        store.PutAsync(tree.Digest, new MemoryStream(tree.Json.ToArray()), cancellation);

    /// <summary>Stores a small text, such as a log.</summary>
    public static Task<BlobInfo> PutTextAsync(this IArtifactStore store, string text, CancellationToken cancellation = default) =>
        store.PutAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)), cancellation);
}

/// <summary>What looking a key up gave.</summary>
/// <param name="Key">The key.</param>
/// <param name="Hit">The record to use, or null: a miss.</param>
/// <param name="Damages">What is wrong with records that could not be used.</param>
/// <param name="Records">How many records the key has; more than one means that the action is not deterministic.</param>
public sealed record ActionLookup(Digest Key, RecordSummary? Hit, IReadOnlyList<string> Damages, int Records);
