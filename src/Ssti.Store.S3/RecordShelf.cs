namespace Ssti.Store.S3;

/// <summary>The action records of a bucket: <c>ac/&lt;key&gt;/&lt;tree&gt;.json</c>, each with its SHA-256 beside it.</summary>
internal sealed class RecordShelf(S3Bucket bucket, ObjectSearch search)
{
    // Writers of one key that keep getting in each other's way; each round is another's success.
    private const int MostRounds = 10;
    private static readonly Comparison<RecordSummary> BestFirst = (a, b) =>
        a.Generation != b.Generation ? b.Generation.CompareTo(a.Generation) : a.Tree.CompareTo(b.Tree);

    public async Task<IReadOnlyList<RecordSummary>[]> SummariesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation)
    {
        var read = await ReadAsync(keys, Summary, cancellation).ConfigureAwait(false);
        return keys.Select(key =>
        {
            var summaries = read[key];
            summaries.Sort(BestFirst);
            return (IReadOnlyList<RecordSummary>)summaries;
        }).ToArray();
    }

    public async Task<IReadOnlyList<ActionRecord>[]> RecordsAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation)
    {
        var read = await ReadAsync(keys, Record, cancellation).ConfigureAwait(false);
        return keys.Select(key => (IReadOnlyList<ActionRecord>)read[key].OfType<ActionRecord>()
            .OrderByDescending(r => r.Generation).ThenBy(r => r.Tree).ToList()).ToArray();
    }

    public async Task<RecordOutcome> PutAsync(ActionRecord record, CancellationToken cancellation)
    {
        for (var round = 1; round <= MostRounds; round++)
        {
            var there = (await SummariesAsync([record.Key], cancellation).ConfigureAwait(false))[0];
            var good = there.Where(s => s.Damage is null).ToList();
            if (good.FirstOrDefault()?.Tree == record.Tree) return RecordOutcome.Same;
            var generation = good.Count == 0 ? 1 : good.Max(s => s.Generation) + 1;
            var json = (record with { Generation = generation }).ToJson();
            // An older or damaged record of the same outputs is replaced; where there is none, whoever comes second must look again.
            var isNew = there.All(s => s.Tree != record.Tree);
            var put = await bucket.PutAsync(
                KeyOf(record.Key, record.Tree), touch => new Told(json, touch), Digest.Of(json).ToString(), isNew, cancellation).ConfigureAwait(false);
            if (!put) continue;
            // Looked at again: of two who put different outputs at once, at least the later sees both. And what was put must be there.
            var after = (await SummariesAsync([record.Key], cancellation).ConfigureAwait(false))[0];
            if (after.All(s => s.Tree != record.Tree || s.Damage is not null)) continue;
            return after.Any(s => s.Damage is null && s.Tree != record.Tree) ? RecordOutcome.Differs : RecordOutcome.Added;
        }

        throw new StoreException(
            $"the record of {record.Key} cannot be put into {bucket.Options.Url}: after {MostRounds} rounds it still is not there; "
            + "see whether something else deletes or writes it, and run again");
    }

    public async Task DeleteAsync(Digest key, Digest tree, CancellationToken cancellation)
    {
        await bucket.DeleteAsync(KeyOf(key, tree), cancellation).ConfigureAwait(false);
        foreach (var entry in await bucket.ListAllAsync($"ac/{key}/{tree}.", cancellation).ConfigureAwait(false))
            if (RecordSignature.TryName(NameOf(entry), out _, out _)) await bucket.DeleteAsync(entry.Key, cancellation).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<RecordSignature>[]> SignaturesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation)
    {
        var found = await search.RecordsAsync(keys, cancellation).ConfigureAwait(false);
        var results = found.Keys.ToDictionary(key => key, _ => new List<RecordSignature>());
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = bucket.Options.Concurrency, CancellationToken = cancellation };
        var wanted = found.SelectMany(pair => pair.Value.Where(entry => entry.Size <= RecordSignature.Longest).Select(entry => (Key: pair.Key, Entry: entry)));
        await Parallel.ForEachAsync(wanted, parallel, async (item, token) =>
        {
            if (!RecordSignature.TryName(NameOf(item.Entry), out var tree, out var signer)) return;
            if (await bucket.ReadSmallAsync(item.Entry.Key, token).ConfigureAwait(false) is not var (content, _)) return;
            var list = results[item.Key];
            lock (list) list.Add(new RecordSignature(item.Key, tree, signer, content));
        }).ConfigureAwait(false);
        return keys.Select(key => (IReadOnlyList<RecordSignature>)results[key]).ToArray();
    }

    public Task PutSignatureAsync(RecordSignature signature, CancellationToken cancellation)
    {
        var content = signature.Content.ToArray();
        return bucket.PutAsync(
            $"ac/{signature.Key}/{signature.FileName}", touch => new Told(content, touch), Digest.Of(content).ToString(), onlyIfAbsent: false, cancellation);
    }

    private static string NameOf(S3Entry entry) => entry.Key[(entry.Key.LastIndexOf('/') + 1)..];

    private static string KeyOf(Digest key, Digest tree) => $"ac/{key}/{tree}.json";

    private async Task<Dictionary<Digest, List<T>>> ReadAsync<T>(
        IReadOnlyList<Digest> keys, Func<Digest, Digest, byte[], string?, T> parse, CancellationToken cancellation)
    {
        var found = await search.RecordsAsync(keys, cancellation).ConfigureAwait(false);
        var wanted = new List<(Digest Key, Digest Tree, string Name)>();
        foreach (var (key, entries) in found)
        {
            foreach (var entry in entries)
            {
                var name = NameOf(entry);
                if (name.EndsWith(".json", StringComparison.Ordinal) && Digest.TryParse(name[..^5], out var tree)) wanted.Add((key, tree, entry.Key));
            }
        }

        var results = found.Keys.ToDictionary(key => key, _ => new List<T>());
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = bucket.Options.Concurrency, CancellationToken = cancellation };
        await Parallel.ForEachAsync(wanted, parallel, async (item, token) =>
        {
            if (await ReadOneAsync(item.Name, token).ConfigureAwait(false) is not var (content, damage)) return;
            var parsed = parse(item.Key, item.Tree, content, damage);
            var list = results[item.Key];
            lock (list) list.Add(parsed);
        }).ConfigureAwait(false);
        return results;
    }

    // A content that is not what was stored may have been altered on its way: asked for once more before it counts as damaged.
    private async Task<(byte[] Content, string? Damage)?> ReadOneAsync(string name, CancellationToken cancellation)
    {
        for (var again = false; ; again = true)
        {
            if (await bucket.ReadSmallAsync(name, cancellation).ConfigureAwait(false) is not var (content, sha256)) return null;
            if (sha256 is null || sha256 == Digest.Of(content).ToString()) return (content, null);
            if (again) return (content, "its content is not what was stored");
        }
    }

    private RecordSummary Summary(Digest key, Digest tree, byte[] content, string? damage)
    {
        var where = $"the record {bucket.Options.Url}/{KeyOf(key, tree)}";
        try
        {
            if (damage is not null) throw new StoreException(damage);
            var summary = RecordSummary.Parse(content);
            if (summary.Key != key || summary.Tree != tree) return summary with { Key = key, Tree = tree, Damage = $"{where} says it is another" };
            // A bucket is others' as well: what they put there is not believed before it is looked at.
            return ActionRecord.Parse(content).Contradiction() is { } problem ? summary with { Damage = $"{where} is not to be trusted: {problem}" } : summary;
        }
        catch (StoreException e)
        {
            return new RecordSummary(key, tree, 0, [], 0) { Damage = $"{where} cannot be read ({e.Message})" };
        }
    }

    // A damaged record is no record; the look-up by summaries is what reports it.
    private static ActionRecord? Record(Digest key, Digest tree, byte[] content, string? damage)
    {
        try
        {
            return damage is null && ActionRecord.Parse(content) is var record && record.Key == key && record.Tree == tree && record.Contradiction() is null ? record : null;
        }
        catch (StoreException)
        {
            return null;
        }
    }

    // A content in memory that tells of each read.
    private sealed class Told(byte[] content, Action read) : MemoryStream(content, writable: false)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            read();
            return base.Read(buffer, offset, count);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            read();
            return base.ReadAsync(buffer, cancellationToken);
        }
    }
}
