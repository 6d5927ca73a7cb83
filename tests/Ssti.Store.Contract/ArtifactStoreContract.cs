using System.Text;
using System.Text.Json.Nodes;
using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Tests;

/// <summary>What every store must do, whatever it keeps its blobs in. A store's tests inherit it and say how to make an empty one.</summary>
public abstract class ArtifactStoreContract
{
    private static readonly Digest Nowhere = Digest.Of("nothing has this content");

    /// <summary>An empty store of the test's own.</summary>
    protected abstract IArtifactStore Store();

    /// <summary>A second one on the same content, as another process would open it.</summary>
    protected abstract IArtifactStore Another();

    /// <summary>A folder whose files the store may take.</summary>
    protected abstract string EmptyFolder();

    /// <summary>Puts other bytes under a blob's name, past the store.</summary>
    protected abstract Task DamageBlobAsync(Digest blob, byte[] content);

    /// <summary>Puts other bytes under a record's name, past the store.</summary>
    protected abstract Task DamageRecordAsync(Digest key, Digest tree, byte[] content);

    /// <summary>Sizes worth trying: none, few, and around the limits of one request or buffer.</summary>
    protected virtual IEnumerable<int> Sizes => [0, 1, 1000, 300_000];

    [SkippableFact]
    public async Task A_blob_is_read_back_to_the_byte()
    {
        var store = Store();
        foreach (var size in Sizes)
        {
            var content = Bytes(size);
            var put = await store.PutAsync(new MemoryStream(content));
            Assert.Equal(new BlobInfo(Digest.Of(content), size), put);
            foreach (var reader in (IArtifactStore[])[store, Another()])
            {
                Assert.Equal((long[])[size], await reader.SizesAsync([put.Digest]));
                Assert.Equal(content, await ReadAsync(reader, put.Digest));
                Assert.Equal(content, await File.ReadAllBytesAsync(await reader.LocalPathAsync(put.Digest)));
            }
        }
    }

    [SkippableFact]
    public async Task Putting_a_blob_twice_changes_nothing()
    {
        var store = Store();
        await store.PutAsync(Digest.Of("a"), Stream("a"));
        await Another().PutAsync(Digest.Of("a"), Stream("a"));
        Assert.Equal([new BlobInfo(Digest.Of("a"), 1)], await BlobsAsync(store));
    }

    [SkippableFact]
    public async Task Rehashing_tells_what_is_really_there()
    {
        var store = Store();
        await store.PutAsync(Digest.Of("a"), Stream("a"));
        await store.PutAsync(Digest.Of("b"), Stream("b"));
        await DamageBlobAsync(Digest.Of("b"), [(byte)'c']);
        Assert.Equal(Digest.Of("a"), await store.RehashAsync(Digest.Of("a")));
        // Although it was read, or written, through this very store before.
        Assert.Equal(Digest.Of("c"), await store.RehashAsync(Digest.Of("b")));
        Assert.Null(await store.RehashAsync(Nowhere));
    }

    [SkippableFact]
    public async Task Content_with_another_digest_is_refused_and_nothing_is_stored()
    {
        var store = Store();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Digest.Of("a"), Stream("b")));
        Assert.Contains(Digest.Of("a").ToString(), error.Message);
        Assert.Equal((long[])[-1, -1], await store.SizesAsync([Digest.Of("a"), Digest.Of("b")]));
        Assert.Empty(await store.BlobsAsync().ToListAsync());
    }

    [SkippableFact]
    public async Task Sizes_come_in_the_order_asked_whatever_is_missing_or_asked_twice()
    {
        var store = Store();
        var texts = Enumerable.Range(0, 40).Select(i => new string('x', i + 1)).ToList();
        foreach (var text in texts) await store.PutAsync(Stream(text));
        var asked = texts.SelectMany(t => (Digest[])[Digest.Of(t), Digest.Of("no " + t), Digest.Of(t)]).Reverse().ToList();
        var expected = texts.SelectMany(t => (long[])[t.Length, -1, t.Length]).Reverse();
        Assert.Equal(expected, await store.SizesAsync(asked));
        Assert.Empty(await store.SizesAsync([]));
    }

    [SkippableFact]
    public async Task A_missing_blob_is_an_error_that_names_it()
    {
        var store = Store();
        Assert.Contains(Nowhere.ToString(), (await Assert.ThrowsAsync<StoreException>(() => store.OpenReadAsync(Nowhere))).Message);
        Assert.Contains(store.Location, (await Assert.ThrowsAsync<StoreException>(() => store.LocalPathAsync(Nowhere))).Message);
    }

    [SkippableFact]
    public async Task A_folder_becomes_a_tree_of_its_files()
    {
        var store = Store();
        var folder = EmptyFolder();
        Directory.CreateDirectory(Path.Combine(folder, "sub", "empty"));
        await File.WriteAllTextAsync(Path.Combine(folder, "b.txt"), "same");
        await File.WriteAllTextAsync(Path.Combine(folder, "sub", "ä 1.txt"), "same");
        await File.WriteAllTextAsync(Path.Combine(folder, "a.txt"), "");
        var tree = await store.IngestAsync(folder);
        Assert.Equal(
            [new TreeFile("a.txt", Digest.Of(""), 0), new TreeFile("b.txt", Digest.Of("same"), 4), new TreeFile("sub/ä 1.txt", Digest.Of("same"), 4)], tree.Files);
        var read = await Another().TreeAsync(tree.Digest);
        Assert.Equal(tree.Files, read.Files);
        Assert.Equal("same"u8.ToArray(), await ReadAsync(Another(), Digest.Of("same")));
        Assert.Equal((long[])[tree.Json.Length, 0, 4], await store.SizesAsync([tree.Digest, Digest.Of(""), Digest.Of("same")]));
    }

    [SkippableFact]
    public async Task A_link_in_a_folder_is_refused()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        var folder = EmptyFolder();
        File.CreateSymbolicLink(Path.Combine(folder, "link"), "/etc/hostname");
        Assert.Contains("link", (await Assert.ThrowsAsync<StoreException>(() => Store().IngestAsync(folder))).Message);
    }

    [SkippableFact]
    public async Task Many_files_are_taken_in_and_found()
    {
        var store = Store();
        var folder = EmptyFolder();
        for (var i = 0; i < 200; i++) await File.WriteAllTextAsync(Path.Combine(folder, $"{i}.txt"), $"file {i}");
        var tree = await store.IngestAsync(folder);
        Assert.Equal(tree.Files.Select(f => f.Size), await Another().SizesAsync(tree.Files.Select(f => f.Digest).ToList()));
        Assert.Equal(201, await store.BlobsAsync().CountAsync());
    }

    [SkippableFact]
    public async Task Records_come_best_first_and_a_second_output_is_reported()
    {
        var store = Store();
        var key = Records.Key("key");
        Assert.Equal(RecordOutcome.Added, await store.PutRecordAsync(Records.Make(key, "one")));
        Assert.Equal(RecordOutcome.Same, await Another().PutRecordAsync(Records.Make(key, "one")));
        Assert.Equal(RecordOutcome.Differs, await Another().PutRecordAsync(Records.Make(key, "two")));
        var records = (await store.RecordsAsync([Nowhere, key]))[1];
        Assert.Equal([(Records.TreeOf("two"), 2), (Records.TreeOf("one"), 1)], records.Select(r => (r.Tree, r.Generation)));
        Assert.Equal("one", (string?)records[1].Metrics["made"]);
        var summaries = await store.SummariesAsync([key, Nowhere, key]);
        Assert.Equal([(Records.TreeOf("two"), 2), (Records.TreeOf("one"), 1)], summaries[2].Select(r => (r.Tree, r.Generation)));
        Assert.Equal(records[0].Files, summaries[0][0].Files);
        Assert.Empty(summaries[1]);
    }

    [SkippableFact]
    public async Task Outputs_that_come_back_become_the_newest_record()
    {
        var store = Store();
        var key = Records.Key("key");
        foreach (var outputs in (string[])["one", "two", "one"]) await store.PutRecordAsync(Records.Make(key, outputs));
        Assert.Equal([(Records.TreeOf("one"), 3), (Records.TreeOf("two"), 2)], (await store.RecordsAsync([key]))[0].Select(r => (r.Tree, r.Generation)));
    }

    [SkippableFact]
    public async Task A_damaged_record_is_no_record_but_is_seen()
    {
        var store = Store();
        var (key, tree) = (Records.Key("key"), Records.TreeOf("one"));
        await store.PutRecordAsync(Records.Make(key, "one"));
        var whole = Records.Make(key, "one").ToJson();
        foreach (var damaged in (byte[][])[[], whole[..(whole.Length / 2)], Records.Make(Records.Key("other"), "one").ToJson()])
        {
            await DamageRecordAsync(key, tree, damaged);
            Assert.Empty((await store.RecordsAsync([key]))[0]);
            Assert.NotNull(Assert.Single((await store.SummariesAsync([key]))[0]).Damage);
        }

        Assert.Equal(RecordOutcome.Added, await store.PutRecordAsync(Records.Make(key, "one")));
        Assert.Null(Assert.Single((await store.SummariesAsync([key]))[0]).Damage);
    }

    [SkippableFact]
    public async Task Signatures_lie_beside_their_record_and_go_with_it()
    {
        var store = Store();
        var key = Records.Key("key");
        foreach (var outputs in (string[])["one", "two"]) await store.PutRecordAsync(Records.Make(key, outputs));
        RecordSignature Signature(string outputs, string signer, string text) => new(key, Records.TreeOf(outputs), signer, Encoding.UTF8.GetBytes(text));
        var all = new[] { Signature("one", "0123456789abcdef", "a"), Signature("one", "fedcba9876543210", "b"), Signature("two", "0123456789abcdef", "c") };
        foreach (var signature in all) await store.PutSignatureAsync(signature);
        await store.PutSignatureAsync(Signature("two", "0123456789abcdef", "d"));

        var there = (await Another().SignaturesAsync([Nowhere, key]))[1];
        Assert.Equal(
            ["0123456789abcdef a", "0123456789abcdef d", "fedcba9876543210 b"],
            there.Select(one => $"{one.Signer} {Encoding.UTF8.GetString(one.Content.Span)}").Order(StringComparer.Ordinal));
        Assert.Equal(2, (await store.RecordsAsync([key]))[0].Count);
        await store.DeleteRecordAsync(key, Records.TreeOf("one"));
        Assert.Equal("d", Encoding.UTF8.GetString(Assert.Single((await store.SignaturesAsync([key]))[0]).Content.Span));
        await store.DeleteRecordAsync(key, Records.TreeOf("two"));
        Assert.Empty(await store.KeysAsync().ToListAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => store.PutSignatureAsync(Signature("one", "../../../evil", "x")));
    }

    [SkippableFact]
    public async Task A_hit_is_a_record_whose_every_blob_exists_with_the_right_size()
    {
        var store = Store();
        var folder = EmptyFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "a.txt"), "content");
        var tree = await store.IngestAsync(folder);
        var key = Records.Key("key");
        await store.PutRecordAsync(Records.Make(key, "one") with { Tree = tree.Digest, Files = tree.Files });
        Assert.NotNull((await store.FindAsync([key]))[0].Hit);

        await DamageBlobAsync(tree.Files[0].Digest, "cont"u8.ToArray());
        var cut = (await store.FindAsync([key]))[0];
        Assert.Null(cut.Hit);
        Assert.Contains("4 bytes, not 7", Assert.Single(cut.Damages));

        await store.DeleteBlobAsync(tree.Files[0].Digest);
        Assert.Contains("missing", Assert.Single((await store.FindAsync([key]))[0].Damages));

        await store.PutAsync(Stream("content"));
        Assert.NotNull((await store.FindAsync([key]))[0].Hit);
    }

    [SkippableFact]
    public async Task What_is_deleted_is_gone_and_deleting_it_again_is_no_error()
    {
        var store = Store();
        var key = Records.Key("key");
        await store.PutAsync(Stream("a"));
        await store.PutRecordAsync(Records.Make(key, "one"));
        await store.PutRecordAsync(Records.Make(key, "two"));
        for (var i = 0; i < 2; i++)
        {
            await store.DeleteBlobAsync(Digest.Of("a"));
            await store.DeleteRecordAsync(key, Records.TreeOf("one"));
            Assert.Equal((long[])[-1], await store.SizesAsync([Digest.Of("a")]));
            await Assert.ThrowsAsync<StoreException>(() => store.OpenReadAsync(Digest.Of("a")));
            Assert.Equal(Records.TreeOf("two"), Assert.Single((await store.RecordsAsync([key]))[0]).Tree);
        }

        await store.DeleteRecordAsync(key, Records.TreeOf("two"));
        Assert.Empty(await store.KeysAsync().ToListAsync());
    }

    [SkippableFact]
    public async Task Every_blob_and_every_key_is_listed()
    {
        var store = Store();
        var texts = Enumerable.Range(0, 20).Select(i => $"text {i}").ToList();
        foreach (var text in texts) await store.PutAsync(Stream(text));
        foreach (var text in texts.Take(10)) await store.PutRecordAsync(Records.Make(Records.Key(text), "one"));
        await store.PutRecordAsync(Records.Make(Records.Key(texts[0]), "two"));
        Assert.Equal(texts.Select(t => new BlobInfo(Digest.Of(t), t.Length)).ToHashSet(), (await BlobsAsync(store)).ToHashSet());
        // The store's clock may be another machine's.
        await foreach (var blob in store.BlobsAsync()) Assert.InRange(blob.At, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        Assert.Equal(texts.Take(10).Select(Records.Key).Order(), (await store.KeysAsync().ToListAsync()).Order());
    }

    [SkippableFact]
    public async Task Many_writers_of_one_blob_and_one_record_agree()
    {
        var store = Store();
        var content = Bytes(100_000);
        var key = Records.Key("key");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            var mine = i % 2 == 0 ? store : Another();
            await mine.PutAsync(new MemoryStream(content));
            return await mine.PutRecordAsync(Records.Make(key, "one"));
        })));
        Assert.DoesNotContain(RecordOutcome.Differs, outcomes);
        Assert.Contains(RecordOutcome.Added, outcomes);
        Assert.Equal(1, Assert.Single((await store.RecordsAsync([key]))[0]).Generation);
        Assert.Equal(content, await ReadAsync(Another(), Digest.Of(content)));
    }

    [SkippableFact]
    public async Task A_cancelled_put_stores_nothing()
    {
        var store = Store();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutAsync(Stream("a"), cancelled.Token));
        Assert.Equal((long[])[-1], await store.SizesAsync([Digest.Of("a")]));
    }

    /// <summary>Bytes that no compression or sparse file makes easy, the same in every run.</summary>
    protected static byte[] Bytes(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>What a store lists, without the times.</summary>
    protected static async Task<List<BlobInfo>> BlobsAsync(IArtifactStore store) =>
        await store.BlobsAsync().Select(blob => new BlobInfo(blob.Digest, blob.Size)).ToListAsync();

    /// <summary>A text as a stream.</summary>
    protected static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>All of a blob.</summary>
    protected static async Task<byte[]> ReadAsync(IArtifactStore store, Digest blob)
    {
        await using var stream = await store.OpenReadAsync(blob);
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory);
        return memory.ToArray();
    }
}
