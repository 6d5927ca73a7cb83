using System.Net;
using Amazon.S3.Model;

namespace Ssti.Store.S3.Tests;

public sealed class BlobCacheTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Clock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_longest_unused_blobs_go_when_there_are_too_many_bytes()
    {
        var cache = Cache(1000, TimeSpan.Zero);
        foreach (var i in Enumerable.Range(1, 10)) await FetchAsync(cache, i, 100);
        Assert.NotNull(cache.Find(Named(1)));
        _clock.Pass(1);
        await FetchAsync(cache, 11, 100);
        // Down to nine tenths: the second and third are the oldest now.
        Assert.Equal([1, 4, 5, 6, 7, 8, 9, 10, 11], Enumerable.Range(1, 11).Where(i => File.Exists(cache.Files.PathOf(Named(i)))));
    }

    [Fact]
    public async Task What_was_used_lately_stays_though_it_is_too_much()
    {
        var cache = Cache(250, TimeSpan.FromMinutes(3));
        foreach (var i in Enumerable.Range(1, 6)) await FetchAsync(cache, i, 100);
        Assert.Equal([3, 4, 5, 6], Enumerable.Range(1, 6).Where(i => File.Exists(cache.Files.PathOf(Named(i)))));
    }

    [Fact]
    public async Task What_other_processes_brought_counts_as_well()
    {
        foreach (var i in Enumerable.Range(1, 9)) await FetchAsync(Cache(10_000, TimeSpan.Zero), i, 100);
        await FetchAsync(Cache(500, TimeSpan.Zero), 10, 100);
        Assert.Equal([7, 8, 9, 10], Enumerable.Range(1, 10).Where(i => File.Exists(Cache(1, TimeSpan.Zero).Files.PathOf(Named(i)))));
    }

    [Fact]
    public async Task A_blob_wanted_by_many_is_fetched_once()
    {
        var fetched = 0;
        var paths = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Cache(1000, TimeSpan.Zero).FindOrFetchAsync(Named(1), async path =>
        {
            Interlocked.Increment(ref fetched);
            await File.WriteAllTextAsync(path, "content");
            await Task.Delay(50);
            return true;
        }, default))));
        Assert.Equal(1, fetched);
        Assert.Equal("content", await File.ReadAllTextAsync(Assert.Single(paths.Distinct())!));
        Assert.Single(Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_fetch_that_fails_leaves_nothing_behind()
    {
        var cache = Cache(1000, TimeSpan.Zero);
        await Assert.ThrowsAsync<StoreException>(() => cache.FindOrFetchAsync(Named(1), async path =>
        {
            await File.WriteAllTextAsync(path, "half");
            throw new StoreException("damaged");
        }, default));
        Assert.Null(await cache.FindOrFetchAsync(Named(1), _ => Task.FromResult(false), default));
        Assert.Empty(Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task What_a_killed_process_was_writing_is_cleared_away()
    {
        var cache = Cache(100, TimeSpan.Zero);
        var left = Path.Combine(Directory.CreateDirectory(_folder["tmp"]).FullName, "half");
        await File.WriteAllTextAsync(left, "half a blob");
        File.SetLastWriteTimeUtc(left, _clock.GetUtcNow().UtcDateTime.AddDays(-3));
        await FetchAsync(cache, 1, 100);
        await FetchAsync(cache, 2, 100);
        Assert.False(File.Exists(left));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_one_is_explained()
    {
        await File.WriteAllTextAsync(_folder["file"], "");
        var cache = new BlobCache(_folder["file"], 100, TimeSpan.Zero, _clock);
        Assert.Contains("S3__Cache", (await Assert.ThrowsAsync<StoreException>(() => cache.FindOrFetchAsync(Named(1), _ => Task.FromResult(true), default))).Message);
    }

    [SkippableFact]
    public async Task A_full_disk_is_no_fault_of_the_network()
    {
        Skip.IfNot(File.Exists("/dev/full"), "needs /dev/full");
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using var response = new GetObjectResponse { HttpStatusCode = HttpStatusCode.OK, ContentLength = 4, ResponseStream = new MemoryStream([1, 2, 3, 4]) };
        var error = await Assert.ThrowsAsync<StoreException>(() => new RangeSink(full, 0, 100).FillAsync(response, () => { }, default));
        Assert.Contains("No space left on device", error.Message);
        Assert.Contains("S3__Cache", error.Message);
        Assert.False(S3Errors.IsTransient(error));
    }

    private static Digest Named(int i) => Digest.Of($"blob {i}");

    private BlobCache Cache(long bound, TimeSpan grace) => new(_folder.Root, bound, grace, _clock);

    // A minute passes with every blob.
    private async Task FetchAsync(BlobCache cache, int i, int size)
    {
        _clock.Pass(1);
        Assert.NotNull(await cache.FindOrFetchAsync(Named(i), async path =>
        {
            await File.WriteAllBytesAsync(path, new byte[size]);
            File.SetLastWriteTimeUtc(path, _clock.GetUtcNow().UtcDateTime);
            return true;
        }, default));
    }

    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public void Pass(int minutes) => _now = _now.AddMinutes(minutes);

        public override DateTimeOffset GetUtcNow() => _now;
    }
}
