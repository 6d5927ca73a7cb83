using Ssti.Tests;

namespace Ssti.Store.S3.Tests;

[Collection(S3Collection.Name)]
public sealed class ObjectSearchTests(S3Server server) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task Names_that_lie_close_together_are_listed_and_others_asked_for()
    {
        var options = server.Options(_folder["cache"]) with { PageSize = 20 };
        var stored = new Dictionary<Digest, long>();
        foreach (var name in InShard("ab", 60).Concat(InShard("cd", 3))) stored[name] = stored.Count % 5;
        await Parallel.ForEachAsync(stored, async (blob, _) => await server.PutRawAsync(options, BlobTransfer.KeyOf(blob.Key), new byte[blob.Value]));
        var asked = stored.Keys.Where((_, i) => i % 3 != 1).Concat(InShard("ab", 90).Skip(60)).Concat(InShard("ef", 2)).ToList();

        await using var proxy = new FaultProxy(server.Endpoint, _ => null);
        using var store = new S3Store(options with { Endpoint = proxy.Endpoint });
        Assert.Equal(asked.Select(a => stored.GetValueOrDefault(a, -1)), await store.SizesAsync(asked));
        Assert.True(proxy.Requests.Count < asked.Count / 2, $"{proxy.Requests.Count} requests for {asked.Count} names");
        Assert.Contains(proxy.Requests, r => r.Method == "HEAD");
        Assert.Contains(proxy.Requests, r => r.Target.Contains("start-after"));
    }

    [SkippableFact]
    public async Task Records_are_found_across_the_pages_of_a_listing()
    {
        // Pages of three: the records of one key are cut apart by their ends.
        var options = server.Options(_folder["cache"]) with { PageSize = 3 };
        using var store = new S3Store(options);
        var keys = InShard("ab", 24, Records.Key).ToList();
        foreach (var (key, i) in keys.Select((k, i) => (k, i)))
        {
            for (var n = 0; n < i % 4; n++) await store.PutRecordAsync(Records.Make(key, $"outputs {n}"));
        }

        var found = await store.SummariesAsync(keys);
        Assert.Equal(keys.Select((_, i) => i % 4), found.Select(f => f.Count));
        Assert.All(found.SelectMany(f => f), f => Assert.Null(f.Damage));
        Assert.All(found.Where(f => f.Count > 1), f => Assert.Equal(f.Count, f[0].Generation));
        Assert.Equal(keys.Where((_, i) => i % 4 > 0).Order(), (await store.KeysAsync().ToListAsync()).Order());
    }

    // Digests with the same first two digits, by trying.
    private static IEnumerable<Digest> InShard(string shard, int count, Func<string, Digest>? of = null) =>
        Enumerable.Range(0, int.MaxValue).Select(i => (of ?? Digest.Of)($"{i}")).Where(d => d.ToString().StartsWith(shard, StringComparison.Ordinal)).Take(count);
}
