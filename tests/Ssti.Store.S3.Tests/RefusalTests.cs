using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ssti.Store.S3.Tests;

/// <summary>What a user can get wrong: every message says what is wrong and what to do, and none gives the secret away.</summary>
[Collection(S3Collection.Name)]
public sealed class RefusalTests(S3Server server) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_wrong_access_key_is_named()
    {
        var message = await RefusalAsync(Options with { AccessKey = "nobody" });
        Assert.Contains("does not know the access key 'nobody'", message);
        Assert.Contains("AWS_ACCESS_KEY_ID", message);
    }

    [SkippableFact]
    public async Task A_wrong_secret_is_told_from_a_wrong_key_and_not_repeated()
    {
        var message = await RefusalAsync(Options with { SecretKey = "hush-hush" });
        Assert.Contains($"the secret of the access key '{Options.AccessKey}'", message);
        Assert.Contains("AWS_SECRET_ACCESS_KEY", message);
        Assert.DoesNotContain("hush", message);
    }

    [SkippableFact]
    public async Task A_missing_bucket_is_not_an_empty_store()
    {
        var message = await RefusalAsync(Options with { Bucket = "ssti-nowhere" });
        Assert.Contains("no bucket 'ssti-nowhere'", message);
        Assert.Contains("S3__CreateBucket=true", message);
    }

    [SkippableFact]
    public async Task A_missing_bucket_is_created_when_asked_for_even_by_two_at_once()
    {
        var options = Options with { Bucket = server.Bucket + "-2", CreateBucket = true };
        try
        {
            await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
            {
                using var store = new S3Store(options with { Cache = _folder[$"cache {i}"] });
                await store.PutAsync(new MemoryStream([1]));
            }));
        }
        finally
        {
            await server.EmptyAsync(options.Bucket);
            await server.Raw.DeleteBucketAsync(options.Bucket);
        }
    }

    [SkippableFact]
    public async Task Rights_lost_on_the_way_are_explained_though_the_answer_to_HEAD_has_no_reason()
    {
        var revoked = false;
        await using var proxy = new FaultProxy(server.Endpoint, _ => revoked ? Refusal(403, "ExpiredToken") : null);
        using var store = new S3Store(Options with { Endpoint = proxy.Endpoint });
        Assert.Equal((long[])[-1], await store.SizesAsync([Digest.Of("a")]));
        revoked = true;
        Assert.Contains("ExpiredToken", (await Assert.ThrowsAsync<StoreException>(() => store.SizesAsync([Digest.Of("a")]))).Message);
    }

    [SkippableFact]
    public async Task A_clock_refused_by_the_server_is_explained()
    {
        await using var proxy = new FaultProxy(server.Endpoint, _ => Refusal(403, "RequestTimeTooSkewed"));
        var message = await RefusalAsync(Options with { Endpoint = proxy.Endpoint });
        Assert.Contains("clock", message);
        Assert.Contains("timedatectl", message);
        Assert.Equal(2, proxy.Requests.Count);
    }

    [SkippableFact]
    public async Task A_server_of_another_region_says_which_setting_to_change()
    {
        await using var proxy = new FaultProxy(server.Endpoint, _ => Refusal(400, "AuthorizationHeaderMalformed"));
        Assert.Contains("AWS_REGION", await RefusalAsync(Options with { Endpoint = proxy.Endpoint }));
    }

    [SkippableFact]
    public async Task A_full_server_is_explained()
    {
        await using var proxy = new FaultProxy(server.Endpoint, seen => seen.Method == "PUT" ? Refusal(507, "XMinioStorageFull") : null);
        using var store = new S3Store(Options with { Endpoint = proxy.Endpoint });
        Assert.Contains("no room left", (await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(new MemoryStream([1])))).Message);
    }

    [SkippableFact]
    public async Task An_address_where_nobody_answers_is_explained_soon()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var free = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        var message = await RefusalAsync(Options with { Endpoint = new Uri($"http://127.0.0.1:{free}"), Attempts = 50 });
        Assert.Contains($"http://127.0.0.1:{free} cannot be reached", message);
        Assert.Contains("3 attempts", message);
        Assert.Contains("S3__Endpoint", message);
    }

    [SkippableFact]
    public async Task An_untrusted_certificate_is_explained()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var proxy = new FaultProxy(server.Endpoint, _ => null, certificate);
        var message = await RefusalAsync(Options with { Endpoint = proxy.Endpoint });
        Assert.Contains("is not trusted", message);
        Assert.Contains("SSL_CERT_FILE", message);
    }

    [SkippableFact]
    public async Task Https_to_a_server_that_speaks_http_is_explained() =>
        Assert.Contains("write http:// in S3__Endpoint", await RefusalAsync(Options with { Endpoint = new Uri($"https://{server.Endpoint.Authority}") }));

    private static Fault.Answer Refusal(int status, string code) => new(status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");

    private S3Options Options => server.Options(_folder["cache"]);

    // Whatever is asked first, reading or writing, the answer is the same.
    private static async Task<string> RefusalAsync(S3Options options)
    {
        using var reader = new S3Store(options, TimeProvider.System, () => 0);
        using var writer = new S3Store(options, TimeProvider.System, () => 0);
        var reading = await Assert.ThrowsAsync<StoreException>(() => reader.SizesAsync([Digest.Of("a")]));
        var writing = await Assert.ThrowsAsync<StoreException>(() => writer.PutAsync(new MemoryStream([1])));
        Assert.Equal(reading.Message, writing.Message);
        return reading.Message;
    }
}
