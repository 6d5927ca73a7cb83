using System.Text;
using System.Text.Json.Nodes;
using Ssti.Store.Files;

namespace Ssti.Store.Tests;

public sealed class FileStoreTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "ssti-store-" + Guid.NewGuid().ToString("n")[..12] + " ünï");
    private readonly FileStore _store;

    public FileStoreTests() => _store = new FileStore(Path.Combine(_folder, "store"));

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_blob_is_kept_under_its_digest_and_read_only()
    {
        var info = await Put("hello");
        var path = await _store.LocalPathAsync(info.Digest);

        Assert.Equal(new BlobInfo(Digest.Of("hello"), 5), info);
        Assert.EndsWith(Path.Combine("cas", "2c", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), path);
        Assert.True(File.GetAttributes(path).HasFlag(FileAttributes.ReadOnly));
        Assert.Equal((long[])[5, -1], await _store.SizesAsync([info.Digest, Digest.Of("other")]));
        Assert.Empty(Directory.GetFiles(Path.Combine(_store.Location, "tmp")));
    }

    [Fact]
    public async Task Content_that_is_not_what_it_should_be_is_refused()
    {
        var error = await Assert.ThrowsAsync<StoreException>(() => _store.PutAsync(Digest.Of("a"), new MemoryStream("b"u8.ToArray())));

        Assert.Contains("damaged on its way", error.Message);
        Assert.Equal((long[])[-1, -1], await _store.SizesAsync([Digest.Of("a"), Digest.Of("b")]));
    }

    [Fact]
    public async Task Reading_what_is_not_there_says_so_and_creates_nothing()
    {
        await Assert.ThrowsAsync<StoreException>(() => _store.OpenReadAsync(Digest.Of("x")));
        await Assert.ThrowsAsync<StoreException>(() => _store.LocalPathAsync(Digest.Of("x")));
        Assert.Empty((await _store.RecordsAsync([Digest.Of("x")]))[0]);
        Assert.False(Directory.Exists(_store.Location));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(200)]
    public async Task A_folder_becomes_a_tree_and_its_files_move(int count)
    {
        var work = Path.Combine(_store.Location, "work", "k", "out");
        for (var i = 0; i < count; i++) Write(Path.Combine(work, $"sub{i % 3}", $"{i}.txt"), $"file {i % 50}");
        var tree = await _store.IngestAsync(work);

        Assert.Equal(count, tree.Files.Count);
        Assert.Equal(tree.Files.OrderBy(f => f.Path, StringComparer.Ordinal), tree.Files);
        Assert.All(await _store.SizesAsync([.. tree.Files.Select(f => f.Digest), tree.Digest]), size => Assert.True(size > 0));
        Assert.Empty(Directory.GetFiles(work, "*", SearchOption.AllDirectories));
        Assert.Equal(tree.Digest, (await _store.TreeAsync(tree.Digest)).Digest);
    }

    [SkippableFact]
    public async Task A_folder_of_another_disk_is_taken_as_well()
    {
        Skip.IfNot(Directory.Exists("/dev/shm"), "needs /dev/shm");
        var other = Path.Combine("/dev/shm", "ssti-" + Guid.NewGuid().ToString("n"));
        Write(Path.Combine(other, "a.txt"), "a");
        var tree = await _store.IngestAsync(other);
        Directory.Delete(other, recursive: true);

        Assert.Equal(Digest.Of("a"), tree.Files.Single().Digest);
        Assert.Equal((long[])[1], await _store.SizesAsync([Digest.Of("a")]));
    }

    [Fact]
    public async Task A_link_in_an_output_is_refused()
    {
        var work = Path.Combine(_store.Location, "work", "k", "out");
        Write(Path.Combine(work, "a.txt"), "a");
        File.CreateSymbolicLink(Path.Combine(work, "link"), "/etc/passwd");

        Assert.Contains("'link' is a link", (await Assert.ThrowsAsync<StoreException>(() => _store.IngestAsync(work))).Message);
    }

    [Fact]
    public async Task A_damaged_blob_is_mended_by_storing_it_again()
    {
        var info = await Put("hello");
        var path = _store.PathOf(info.Digest);
        Damage(path, "hel");
        await Put("hello");

        Assert.Equal("hello", File.ReadAllText(path));
    }

    [Fact]
    public async Task A_hit_is_a_record_whose_every_blob_has_its_size()
    {
        var record = await Record("k", ("a.txt", "aaa"), ("b.txt", "bbb"));
        Assert.Equal(RecordOutcome.Added, await _store.PutRecordAsync(record));
        Assert.Equal(record.Tree, (await Find("k")).Hit!.Tree);

        var blob = _store.PathOf(record.Files[1].Digest);
        Damage(blob, "bb");
        var cut = await Find("k");
        File.Delete(blob);
        var gone = await Find("k");

        Assert.Null(cut.Hit);
        Assert.Contains("has 2 bytes, not 3", cut.Damages.Single());
        Assert.Null(gone.Hit);
        Assert.Contains("is missing", gone.Damages.Single());
    }

    [Fact]
    public async Task A_record_without_its_tree_is_no_hit()
    {
        var record = await Record("k", ("a.txt", "aaa"));
        await _store.PutRecordAsync(record);
        await _store.DeleteBlobAsync(record.Tree);

        Assert.Contains("the tree", (await Find("k")).Damages.Single());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"key\":1}")]
    [InlineData("\0\0\0\0")]
    public async Task A_record_cut_short_is_a_miss_with_a_warning(string content)
    {
        var record = await Record("k", ("a.txt", "aaa"));
        await _store.PutRecordAsync(record);
        File.WriteAllText(Path.Combine(_store.Location, "ac", record.Key.ToString(), $"{record.Tree}.json"), content);
        var found = await Find("k");

        Assert.Null(found.Hit);
        Assert.Contains("cannot be read", found.Damages.Single());
        Assert.Equal(RecordOutcome.Added, await _store.PutRecordAsync(record));
        Assert.NotNull((await Find("k")).Hit);
    }

    [Fact]
    public async Task Every_cut_of_a_record_is_a_miss()
    {
        var record = await Record("k", ("a.txt", "aaa"));
        var json = record.ToJson();
        for (var length = 0; length < json.Length; length++)
        {
            var cut = json.AsMemory(0, length);
            Assert.Throws<StoreException>(() => RecordSummary.Parse(cut.Span));
        }

        Assert.Equal(record.Tree, RecordSummary.Parse(json).Tree);
    }

    [Fact]
    public async Task A_second_different_record_is_told_and_both_are_kept_the_newest_in_use()
    {
        await _store.PutRecordAsync(await Record("k", ("a.txt", "one")));
        Assert.Equal(RecordOutcome.Same, await _store.PutRecordAsync(await Record("k", ("a.txt", "one"))));
        var second = await Record("k", ("a.txt", "two"));
        Assert.Equal(RecordOutcome.Differs, await _store.PutRecordAsync(second));
        var found = await Find("k");

        Assert.Equal((2, second.Tree), (found.Records, found.Hit!.Tree));
        Assert.Equal([2, 1], (await _store.RecordsAsync([Digest.Of("k")]))[0].Select(r => r.Generation));
    }

    [Fact]
    public async Task A_record_reads_back_as_it_was_written()
    {
        var record = await Record("k", ("a.txt", "one"));
        await _store.PutRecordAsync(record);
        var read = (await _store.RecordsAsync([record.Key]))[0].Single();

        Assert.Equal(Encoding.UTF8.GetString(record.ToJson()), Encoding.UTF8.GetString(read.ToJson()));
        Assert.Equal(0.5, (double)read.Metrics["loss"]!);
    }

    [Fact]
    public async Task Blobs_and_keys_can_be_listed_and_deleted()
    {
        var record = await Record("k", ("a.txt", "one"));
        await _store.PutRecordAsync(record);
        Assert.Equal([record.Key], await _store.KeysAsync().ToListAsync());
        Assert.Equal(new HashSet<Digest> { record.Tree, Digest.Of("one") }, (await _store.BlobsAsync().ToListAsync()).Select(b => b.Digest).ToHashSet());

        await _store.DeleteRecordAsync(record.Key, record.Tree);
        await _store.DeleteBlobAsync(record.Tree);
        await _store.DeleteBlobAsync(record.Tree);

        Assert.Empty(await _store.KeysAsync().ToListAsync());
        Assert.Single(await _store.BlobsAsync().ToListAsync());
    }

    private static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private static void Damage(string path, string content)
    {
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllText(path, content);
    }

    private Task<BlobInfo> Put(string text) => _store.PutTextAsync(text);

    private async Task<ActionLookup> Find(string key) => (await _store.FindAsync([Digest.Of(key)])).Single();

    private async Task<ActionRecord> Record(string key, params (string Path, string Content)[] files)
    {
        var entries = new List<TreeFile>();
        foreach (var (path, content) in files)
        {
            var info = await Put(content);
            entries.Add(new TreeFile(path, info.Digest, info.Size));
        }

        var tree = Tree.Of(entries);
        await _store.PutAsync(new MemoryStream(tree.Json.ToArray()));
        return new ActionRecord
        {
            Key = Digest.Of(key),
            Tree = tree.Digest,
            Files = tree.Files,
            Document = new JsonObject { ["kind"] = "text" },
            Pipeline = "p",
            Stage = "s",
            Run = "000001-abcd",
            Started = DateTimeOffset.UnixEpoch,
            Finished = DateTimeOffset.UnixEpoch.AddSeconds(3),
            Durations = new ActionDurations(0, 0.1, 2.5, 0.2),
            Metrics = new JsonObject { ["loss"] = 0.5 },
        };
    }
}
