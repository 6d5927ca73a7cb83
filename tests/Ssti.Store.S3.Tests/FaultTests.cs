using System.Collections.Concurrent;
using Ssti.Tests;

namespace Ssti.Store.S3.Tests;

/// <summary>The network and the server go wrong for real: a proxy between the store and the server sees to it.</summary>
[Collection(S3Collection.Name)]
public sealed class FaultTests(S3Server server) : IDisposable
{
    private const int Part = 5 << 20;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> FirstFaults => [.. Faults.Keys];

    private static readonly Dictionary<string, Fault> Faults = new()
    {
        ["503 without a body"] = new Fault.Answer(503),
        ["503 with a reason"] = new Fault.Answer(503, "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"),
        ["500 in another format"] = new Fault.Answer(500, "<html><body>oops"),
        ["200 without a body"] = new Fault.Answer(200),
        ["reset before the answer"] = new Fault.LoseAnswer(),
        ["reset on the way up"] = new Fault.CutUp(100),
        ["reset on the way down"] = new Fault.CutDown(60, Reset: true),
        ["body cut off"] = new Fault.CutDown(60, Reset: false),
        ["shorter body"] = new Fault.Shorten(60),
        ["stalled on the way up"] = new Fault.StallUp(1),
        ["stalled on the way down"] = new Fault.StallDown(60),
        ["flipped on the way up"] = new Fault.FlipUp(60),
    };

    [SkippableTheory]
    [MemberData(nameof(FirstFaults))]
    public async Task A_day_s_work_is_done_though_every_request_fails_the_first_time(string fault)
    {
        var known = new ConcurrentDictionary<string, bool>();
        // Whoever answers HEAD or PUT with a plain lie is no S3 server; what has a query has an answer to check.
        var everywhere = fault != "200 without a body";
        await using var proxy = Proxy(seen =>
        {
            var request = $"{seen.Method} {Anonymous(seen.Target)} {seen.Header("Range")?.Split('-')[1]}";
            return (everywhere || seen.Target.Contains('?')) && known.TryAdd(request, true) ? Faults[fault] : null;
        });
        var options = Via(proxy) with { Timeout = TimeSpan.FromSeconds(fault.StartsWith("stalled", StringComparison.Ordinal) ? 0.5 : 5), Attempts = 5 };
        using var store = Open(options);
        using var reader = Open(options with { Cache = _folder["reader"] });
        var (small, large, key) = (Bytes(500), Bytes(Part + 1000), Records.Key("key"));

        await store.PutAsync(Digest.Of(small), new MemoryStream(small));
        await store.PutAsync(Digest.Of(large), new MemoryStream(large));
        Assert.Equal((long[])[-1, small.Length, large.Length], await store.SizesAsync([key, Digest.Of(small), Digest.Of(large)]));
        Assert.Equal(large, await File.ReadAllBytesAsync(await reader.LocalPathAsync(Digest.Of(large))));
        Assert.Equal(small, await File.ReadAllBytesAsync(await reader.LocalPathAsync(Digest.Of(small))));
        // A put whose answer was lost finds its own record there.
        Assert.Contains(await store.PutRecordAsync(Records.Make(key, "one")), (RecordOutcome[])[RecordOutcome.Added, RecordOutcome.Same]);
        Assert.Equal(1, Assert.Single((await reader.RecordsAsync([key]))[0]).Generation);
        Assert.Equal(2, await reader.BlobsAsync().CountAsync());
        Assert.Equal([key], await reader.KeysAsync().ToListAsync());
        await reader.DeleteRecordAsync(key, Records.TreeOf("one"));
        await reader.DeleteBlobAsync(Digest.Of(large));
        Assert.Equal([BlobTransfer.KeyOf(Digest.Of(small))], await server.KeysAsync(options));
        Assert.True(proxy.Requests.Count > known.Count, "no request was ever tried again");
    }

    [SkippableFact]
    public async Task A_server_that_stays_in_trouble_is_reported_after_the_attempts_agreed()
    {
        await using var proxy = Proxy(seen => seen.Method == "PUT" ? new Fault.Answer(503) : null);
        using var store = Open(Via(proxy) with { Attempts = 3 });
        var error = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(new MemoryStream([1])));
        Assert.Contains("503", error.Message);
        Assert.Contains("3 attempts", error.Message);
        Assert.Contains("what is finished is kept", error.Message);
        Assert.Equal(3, proxy.Requests.Count(r => r.Method == "PUT"));
    }

    [SkippableFact]
    public async Task A_download_that_broke_off_goes_on_where_it_stopped()
    {
        var content = Bytes(1 << 20);
        var ranges = new ConcurrentQueue<string>();
        await using var proxy = Proxy(seen =>
        {
            if (seen.Method != "GET" || seen.Header("Range") is not { } range) return null;
            ranges.Enqueue(range);
            return new Fault.CutDown(200_000, Reset: false);
        });
        // More breaks than attempts: getting further is no failure.
        using var store = await StoredAsync(proxy, content);
        Assert.Equal(content, await File.ReadAllBytesAsync(await store.LocalPathAsync(Digest.Of(content))));
        Assert.Equal(["bytes=0-5242879", .. Enumerable.Range(1, 5).Select(i => $"bytes={i * 200_000}-1048575")], ranges);
    }

    [SkippableFact]
    public async Task A_slow_but_steady_body_is_no_failure()
    {
        var content = Bytes(1 << 20);
        await using var proxy = Proxy(seen => seen.Header("Range") is null ? null : new Fault.Dribble(50_000, TimeSpan.FromMilliseconds(90)));
        using var store = await StoredAsync(proxy, content, options => options with { Timeout = TimeSpan.FromSeconds(0.6), Attempts = 1 });
        Assert.Equal(content, await File.ReadAllBytesAsync(await store.LocalPathAsync(Digest.Of(content))));
    }

    [SkippableFact]
    public async Task A_body_that_stands_still_is_given_up_in_time()
    {
        var content = Bytes(1 << 20);
        await using var proxy = Proxy(seen => seen.Header("Range") is null ? null : new Fault.StallDown(0));
        using var store = await StoredAsync(proxy, content, options => options with { Timeout = TimeSpan.FromSeconds(0.4), Attempts = 2 });
        var error = await Assert.ThrowsAsync<StoreException>(() => store.LocalPathAsync(Digest.Of(content)));
        Assert.Contains("nothing moved for 0.4 s", error.Message);
        Assert.Contains("S3__Timeout", error.Message);
    }

    [SkippableFact]
    public async Task A_bit_flipped_once_on_the_way_is_noticed_and_fetched_again()
    {
        var content = Bytes(Part + 1000);
        var flipped = 0;
        await using var proxy = Proxy(seen =>
            seen.Header("Range") is { } range && range != "bytes=0-5242879" && Interlocked.Increment(ref flipped) == 1 ? new Fault.FlipDown(999) : null);
        using var store = await StoredAsync(proxy, content);
        Assert.Equal(content, await File.ReadAllBytesAsync(await store.LocalPathAsync(Digest.Of(content))));
        Assert.Equal(2, flipped);
    }

    [SkippableFact]
    public async Task A_spoilt_copy_here_does_not_cost_the_good_one_there()
    {
        await using var proxy = Proxy(_ => null);
        var content = Bytes(1000);
        using var store = await StoredAsync(proxy, content);
        var copy = await store.LocalPathAsync(Digest.Of(content));
        File.SetAttributes(copy, FileAttributes.Normal);
        File.WriteAllBytes(copy, Bytes(1000).Reverse().ToArray());
        Assert.Equal(Digest.Of(content), await store.RehashAsync(Digest.Of(content)));
        Assert.Equal(content, File.ReadAllBytes(await store.LocalPathAsync(Digest.Of(content))));
    }

    [SkippableFact]
    public async Task A_server_out_of_reach_is_no_damage()
    {
        var down = false;
        await using var proxy = Proxy(_ => down ? new Fault.Answer(503) : null);
        var content = Bytes(1000);
        using var store = await StoredAsync(proxy, content);
        down = true;
        await Assert.ThrowsAsync<StoreException>(() => store.RehashAsync(Digest.Of(content)));
    }

    [SkippableFact]
    public async Task A_blob_damaged_on_the_server_is_never_served()
    {
        var content = Bytes(1000);
        await using var proxy = Proxy(_ => null);
        using var store = await StoredAsync(proxy, content);
        var damaged = content.ToArray();
        damaged[500] ^= 4;
        foreach (var instead in (byte[][])[damaged, content[..^1], []])
        {
            await server.PutRawAsync(Via(proxy), BlobTransfer.KeyOf(Digest.Of(content)), instead);
            var error = await Assert.ThrowsAsync<StoreException>(() => store.OpenReadAsync(Digest.Of(content)));
            Assert.Contains($"is damaged: its {instead.Length} bytes have the digest {Digest.Of(instead)}", error.Message);
        }

        Assert.Empty(Directory.EnumerateFiles(_folder["cache"], "*", SearchOption.AllDirectories));
    }

    [SkippableTheory]
    [InlineData(1000)]
    [InlineData((3 * Part) + 5)]
    public async Task An_upload_cut_off_leaves_nothing(int size)
    {
        await using var proxy = Proxy(seen => seen.Method == "PUT" && (size <= Part || seen.Target.Contains("partNumber=3")) ? new Fault.CutUp(900) : null);
        using var store = Open(Via(proxy) with { Attempts = 2 });
        var content = Bytes(size);
        var error = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(new MemoryStream(content)));
        Assert.Contains("PUT cas/", error.Message);
        Assert.Equal((long[])[-1], await store.SizesAsync([Digest.Of(content)]));
        Assert.Empty(await server.KeysAsync(Via(proxy)));
        Assert.Equal(0, await server.UploadsAsync(Via(proxy)));
    }

    [SkippableFact]
    public async Task An_upload_that_was_taken_but_did_not_arrive_is_noticed()
    {
        await using var proxy = Proxy(seen => seen.Method == "PUT" ? new Fault.Answer(200) : null);
        using var store = Open(Via(proxy));
        var error = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(new MemoryStream([1, 2, 3])));
        Assert.Contains("took the 3 bytes", error.Message);
        Assert.Contains("nothing of it arrived", error.Message);
        var lost = await Assert.ThrowsAsync<StoreException>(() => store.PutRecordAsync(Records.Make(Records.Key("key"), "one")));
        Assert.Contains("still is not there", lost.Message);
    }

    [SkippableFact]
    public async Task A_cancelled_upload_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        await using var proxy = Proxy(seen =>
        {
            if (!seen.Target.Contains("partNumber=2")) return null;
            cancel.CancelAfter(100);
            return new Fault.StallUp(1);
        });
        using var store = Open(Via(proxy));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutAsync(new MemoryStream(Bytes(2 * Part)), cancel.Token));
        Assert.Empty(await server.KeysAsync(Via(proxy)));
        Assert.Equal(0, await server.UploadsAsync(Via(proxy)));
    }

    [SkippableFact]
    public async Task Parts_that_nobody_could_throw_away_are_served_to_nobody_and_can_be_collected()
    {
        // As when a process is killed: neither is the upload completed, nor its end told.
        await using var proxy = Proxy(seen => seen.Method == "DELETE" || seen.Target.Contains("partNumber=2") ? new Fault.Answer(403) : null);
        using var store = Open(Via(proxy));
        await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(new MemoryStream(Bytes(2 * Part))));
        Assert.Equal(1, await server.UploadsAsync(Via(proxy)));
        Assert.Empty(await store.BlobsAsync().ToListAsync());

        using var collector = Open(server.Options(_folder["other"]) with { Prefix = Via(proxy).Prefix });
        Assert.Equal(0, await collector.StaleUploadsAsync(DateTimeOffset.UtcNow.AddHours(-1), remove: true));
        Assert.Equal(1, await collector.StaleUploadsAsync(DateTimeOffset.UtcNow.AddHours(1), remove: false));
        Assert.Equal(1, await collector.StaleUploadsAsync(DateTimeOffset.UtcNow.AddHours(1), remove: true));
        Assert.Equal(0, await server.UploadsAsync(Via(proxy)));
    }

    [SkippableFact]
    public async Task A_server_without_conditional_puts_will_do()
    {
        await using var proxy = Proxy(seen => seen.Header("If-None-Match") is null
            ? null : new Fault.Answer(501, "<?xml version=\"1.0\"?><Error><Code>NotImplemented</Code></Error>"));
        using var store = Open(Via(proxy));
        var key = Records.Key("key");
        Assert.Equal(RecordOutcome.Added, await store.PutRecordAsync(Records.Make(key, "one")));
        Assert.Equal(RecordOutcome.Differs, await store.PutRecordAsync(Records.Make(key, "two")));
        Assert.Equal(2, (await store.RecordsAsync([key]))[0].Count);
    }

    [SkippableFact]
    public async Task Two_different_records_put_at_once_are_both_kept_and_reported()
    {
        await using var proxy = Proxy(_ => null);
        var key = Records.Key("key");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var store = Open(Via(proxy));
            return await store.PutRecordAsync(Records.Make(key, i % 2 == 0 ? "one" : "two"));
        }));
        using var reader = Open(Via(proxy));
        Assert.Contains(RecordOutcome.Differs, outcomes);
        Assert.Equal(new HashSet<Digest> { Records.TreeOf("one"), Records.TreeOf("two") }, (await reader.RecordsAsync([key]))[0].Select(r => r.Tree).ToHashSet());
    }

    private FaultProxy Proxy(Func<Seen, Fault?> choose) => new(server.Endpoint, choose);

    private S3Options? _options;

    private S3Options Via(FaultProxy proxy) => (_options ??= server.Options(_folder["cache"])) with { Endpoint = proxy.Endpoint };

    private static S3Store Open(S3Options options) => new(options, TimeProvider.System, () => 0);

    // A store with an empty cache, on a bucket that has the blob.
    private async Task<S3Store> StoredAsync(FaultProxy proxy, byte[] content, Func<S3Options, S3Options>? change = null)
    {
        await server.PutRawAsync(Via(proxy), BlobTransfer.KeyOf(Digest.Of(content)), content);
        return Open((change ?? (o => o))(Via(proxy)));
    }

    // Upload names differ from attempt to attempt; otherwise no request would ever be known.
    private static string Anonymous(string target) => System.Text.RegularExpressions.Regex.Replace(target, "uploadId=[^&]*", "uploadId");

    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
