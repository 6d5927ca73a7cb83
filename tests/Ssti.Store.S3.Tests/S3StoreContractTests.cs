using Ssti.Tests;

namespace Ssti.Store.S3.Tests;

[Collection(S3Collection.Name)]
public sealed class S3StoreContractTests(S3Server server) : ArtifactStoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<S3Store> _stores = [];
    private S3Options? _options;

    // Around the size of a part: one request, two parts, a last part of one byte.
    protected override IEnumerable<int> Sizes => [0, 1, 1000, (5 << 20) - 1, 5 << 20, (5 << 20) + 1, (10 << 20) + 1];

    private S3Options Options => _options ??= server.Options(_folder["cache"]);

    public void Dispose()
    {
        foreach (var store in _stores) store.Dispose();
        _folder.Dispose();
    }

    [SkippableFact]
    public async Task What_is_stored_lies_where_the_layout_says()
    {
        var store = Store();
        await store.PutAsync(Stream("a"));
        await store.PutRecordAsync(Records.Make(Records.Key("key"), "one"));
        Assert.Equal([$"ac/{Records.Key("key")}/{Records.TreeOf("one")}.json", $"cas/{Digest.Of("a").ToString()[..2]}/{Digest.Of("a")}"], await server.KeysAsync(Options));
    }

    [SkippableFact]
    public async Task Files_that_are_not_the_store_s_are_not_taken_for_blobs()
    {
        await server.PutRawAsync(Options, "cas/readme.txt", [1]);
        await server.PutRawAsync(Options, $"cas/00/{Digest.Of("misplaced")}", [1]);
        await server.PutRawAsync(Options, "ac/notes/a.json", [1]);
        Assert.Empty(await Store().BlobsAsync().ToListAsync());
        Assert.Empty(await Store().KeysAsync().ToListAsync());
    }

    [SkippableFact]
    public async Task A_copy_spoilt_since_it_was_fetched_is_fetched_again()
    {
        var store = Store();
        var blob = (await store.PutAsync(Stream("content"))).Digest;
        var path = await store.CheckedPathAsync(blob);
        File.SetAttributes(path, FileAttributes.Normal);
        await File.WriteAllTextAsync(path, "c0ntent");
        Assert.Equal("content", await File.ReadAllTextAsync(await store.CheckedPathAsync(blob)));
        // Nothing was wrong in the bucket, and nothing was taken from it.
        Assert.Equal(blob, await Another().RehashAsync(blob));
    }

    protected override IArtifactStore Store() => Open(Options);

    // Another machine: nothing is shared but the bucket.
    protected override IArtifactStore Another() => Open(Options with { Cache = _folder[$"cache {_stores.Count}"] });

    protected override string EmptyFolder() => Directory.CreateDirectory(_folder[$"stage {Guid.NewGuid():n}"]).FullName;

    protected override Task DamageBlobAsync(Digest blob, byte[] content) => server.PutRawAsync(Options, BlobTransfer.KeyOf(blob), content);

    protected override Task DamageRecordAsync(Digest key, Digest tree, byte[] content) => server.PutRawAsync(Options, $"ac/{key}/{tree}.json", content);

    private S3Store Open(S3Options options)
    {
        var store = new S3Store(options);
        lock (_stores) _stores.Add(store);
        return store;
    }
}
