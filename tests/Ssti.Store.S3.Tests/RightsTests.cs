using System.Text.Json.Nodes;
using Amazon.S3.Model;
using Ssti.Store.Files;

namespace Ssti.Store.S3.Tests;

/// <summary>
/// Keys that may do less than everything, on the real server: a second user of it (<c>SSTI_TEST_S3_GUEST</c>: user id, key and secret, with commas), with what
/// docs/security.md tells people to give.
/// </summary>
[Collection(S3Collection.Name)]
public sealed class RightsTests(S3Server server) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_key_that_may_only_touch_its_prefix_is_all_that_a_store_needs()
    {
        var (own, other) = (Guest("own"), Guest("other"));
        await AllowAsync(own.Prefix, "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts");
        using var store = new S3Store(own);
        var record = await FillAsync(store);
        Assert.Equal(record.Tree, (await store.FindAsync([record.Key]))[0].Hit!.Tree);
        await store.RequireWritableAsync();
        Assert.Equal(record.Key, Assert.Single(await store.KeysAsync().ToListAsync()));
        await store.DeleteRecordAsync(record.Key, record.Tree);
        await store.DeleteBlobAsync(record.Files[0].Digest);
        Assert.Null((await store.FindAsync([record.Key]))[0].Hit);

        using var theirs = new S3Store(other);
        Assert.Contains("does not let the access key", (await Assert.ThrowsAsync<StoreException>(() => theirs.SizesAsync([Digest.Of("x")]))).Message, StringComparison.Ordinal);
        Assert.Contains("does not let the access key", (await Assert.ThrowsAsync<StoreException>(() => theirs.RequireWritableAsync())).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_key_that_may_only_read_reads_and_is_told_before_it_would_write()
    {
        var guest = Guest("read");
        ActionRecord record;
        using (var owner = new S3Store(server.Options(_folder["owner"]) with { Prefix = guest.Prefix })) record = await FillAsync(owner);
        await AllowAsync(guest.Prefix, "s3:GetObject");
        using var store = new S3Store(guest);
        Assert.NotNull((await store.FindAsync([record.Key]))[0].Hit);
        Assert.Equal("content", await File.ReadAllTextAsync(await store.CheckedPathAsync(record.Files[0].Digest)));
        var refusal = await Assert.ThrowsAsync<StoreException>(() => store.RequireWritableAsync());
        Assert.Contains("does not let the access key", refusal.Message, StringComparison.Ordinal);
        Assert.True(StoreErrors.IsReadOnly(refusal));
        Assert.DoesNotContain(guest.SecretKey, refusal.ToString(), StringComparison.Ordinal);
    }

    private S3Options Guest(string place)
    {
        var named = Environment.GetEnvironmentVariable("SSTI_TEST_S3_GUEST");
        Skip.If(string.IsNullOrEmpty(named), "needs a second user of the server: set SSTI_TEST_S3_GUEST to its id,key,secret");
        var parts = named!.Split(',');
        return server.Options(_folder[$"cache {place}"]) with { AccessKey = parts[1], SecretKey = parts[2] };
    }

    private async Task<ActionRecord> FillAsync(S3Store store)
    {
        var folder = Directory.CreateDirectory(_folder[$"stage {Guid.NewGuid():n}"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "a.txt"), "content");
        var tree = await store.IngestAsync(folder);
        var document = new JsonObject { ["kind"] = "test" };
        var record = new ActionRecord
        {
            Key = Json.CanonicalJson.Digest(document), Tree = tree.Digest, Files = tree.Files, Document = document, Pipeline = "p", Stage = "s", Run = "r",
            Started = DateTimeOffset.UnixEpoch, Finished = DateTimeOffset.UnixEpoch, Durations = new ActionDurations(0, 0, 0, 0),
        };
        await store.PutRecordAsync(record);
        return record;
    }

    private Task AllowAsync(string prefix, params string[] actions)
    {
        var who = $"arn:aws:iam:::user/{Environment.GetEnvironmentVariable("SSTI_TEST_S3_GUEST")!.Split(',')[0]}";
        var policy = new JsonObject
        {
            ["Version"] = "2012-10-17",
            ["Statement"] = new JsonArray(
                new JsonObject
                {
                    ["Effect"] = "Allow", ["Principal"] = new JsonObject { ["AWS"] = who }, ["Action"] = new JsonArray([.. actions.Select(action => JsonValue.Create(action))]),
                    ["Resource"] = $"arn:aws:s3:::{server.Bucket}/{prefix}/*",
                },
                new JsonObject
                {
                    ["Effect"] = "Allow", ["Principal"] = new JsonObject { ["AWS"] = who }, ["Action"] = new JsonArray("s3:ListBucket"),
                    ["Resource"] = $"arn:aws:s3:::{server.Bucket}", ["Condition"] = new JsonObject { ["StringLike"] = new JsonObject { ["s3:prefix"] = $"{prefix}/*" } },
                }),
        };
        return server.Raw.PutBucketPolicyAsync(new PutBucketPolicyRequest { BucketName = server.Bucket, Policy = policy.ToJsonString() });
    }
}
