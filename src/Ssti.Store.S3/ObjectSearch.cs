namespace Ssti.Store.S3;

/// <summary>
/// Looks many names up at once: by listing where the asked names lie close together, one by one and in parallel where they do not.
/// </summary>
/// <remarks>
/// A listing answers a thousand names of the bucket with one request, but which of them were asked is chance: it is worth it as long as
/// a page answers several. Listings begin at the first name still open, in 256 shards by the names' first two digits.
/// </remarks>
internal sealed class ObjectSearch(S3Bucket bucket)
{
    // A page of a thousand costs a server about as much as this many single questions.
    internal const int WorthAPage = 8;

    /// <summary>The size of each blob, -1 where there is none.</summary>
    public async Task<Dictionary<Digest, long>> SizesAsync(IEnumerable<Digest> blobs, CancellationToken cancellation)
    {
        var found = await FindAsync(blobs, blob => BlobTransfer.KeyOf(blob), 7, async (key, token) =>
        {
            var size = await bucket.SizeAsync(key, token).ConfigureAwait(false);
            return size < 0 ? [] : [new S3Entry(key, size)];
        }, cancellation).ConfigureAwait(false);
        return found.ToDictionary(f => f.Key, f => f.Value.Count == 0 ? -1 : f.Value[0].Size);
    }

    /// <summary>What lies under the name of each action.</summary>
    public Task<Dictionary<Digest, List<S3Entry>>> RecordsAsync(IEnumerable<Digest> keys, CancellationToken cancellation) =>
        FindAsync(keys, key => $"ac/{key}/", 5, bucket.ListAllAsync, cancellation);

    private async Task<Dictionary<Digest, List<S3Entry>>> FindAsync(
        IEnumerable<Digest> asked, Func<Digest, string> nameOf, int shardLength,
        Func<string, CancellationToken, Task<List<S3Entry>>> one, CancellationToken cancellation)
    {
        var names = asked.Distinct().Select(digest => (Digest: digest, Name: nameOf(digest))).OrderBy(n => n.Name, StringComparer.Ordinal).ToList();
        var results = names.ToDictionary(n => n.Digest, _ => new List<S3Entry>());
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = bucket.Options.Concurrency, CancellationToken = cancellation };
        var single = new System.Collections.Concurrent.ConcurrentBag<(Digest Digest, string Name)>();
        await Parallel.ForEachAsync(names.GroupBy(n => n.Name[..shardLength]), parallel, async (shard, token) =>
        {
            foreach (var left in await ListAsync(shard.Key, [.. shard], results, token).ConfigureAwait(false)) single.Add(left);
        }).ConfigureAwait(false);
        await Parallel.ForEachAsync(single, parallel, async (left, token) =>
        {
            var entries = await one(left.Name, token).ConfigureAwait(false);
            results[left.Digest].AddRange(entries);
        }).ConfigureAwait(false);
        return results;
    }

    // Answers names of one shard by listings, and returns those for which that is not worth it.
    private async Task<IEnumerable<(Digest Digest, string Name)>> ListAsync(
        string shard, (Digest Digest, string Name)[] open, Dictionary<Digest, List<S3Entry>> results, CancellationToken cancellation)
    {
        var answered = 0;
        while (open.Length - answered >= WorthAPage)
        {
            // A name without its last character comes right before it.
            var page = await bucket.ListAsync(shard, open[answered].Name[..^1], null, null, cancellation).ConfigureAwait(false);
            var more = Take(page, open.AsSpan(answered), results);
            answered += more;
            if (more < WorthAPage) break;
        }

        return open.Skip(answered);
    }

    // Both are in ordinal order. Each list in results belongs to one shard, and so to one thread.
    private static int Take(S3Page page, ReadOnlySpan<(Digest Digest, string Name)> open, Dictionary<Digest, List<S3Entry>> results)
    {
        var at = 0;
        foreach (var entry in page.Entries)
        {
            while (at < open.Length && string.CompareOrdinal(open[at].Name, entry.Key) < 0 && !Lies(entry, open[at].Name)) at++;
            if (at == open.Length) return at;
            if (Lies(entry, open[at].Name)) results[open[at].Digest].Add(entry);
        }

        if (page.Next is null) return open.Length;
        // The next page may have more of the name that this one ends in.
        if (at < open.Length && page.Entries.Count > 0 && Lies(page.Entries[^1], open[at].Name)) results[open[at].Digest].Clear();
        return at;
    }

    private static bool Lies(S3Entry entry, string under) => entry.Key.StartsWith(under, StringComparison.Ordinal);
}
