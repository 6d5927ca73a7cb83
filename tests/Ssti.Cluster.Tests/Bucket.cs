using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Util;
using Ssti.Store;
using Ssti.Store.Files;
using Ssti.Store.S3;

namespace Ssti.Cluster.Tests;

/// <summary>A bucket of one's own on the server that the tests of the S3 store use (<c>SSTI_TEST_S3</c>: endpoint,key,secret), gone with the test.</summary>
internal sealed class Bucket(TestCluster cluster) : IAsyncDisposable
{
    private readonly string[]? _server = Environment.GetEnvironmentVariable("SSTI_TEST_S3") is { Length: > 0 } named && named.Split(',') is { Length: 3 } parts ? parts : null;
    private readonly string _name = Path.GetFileName(cluster.Folder).ToLowerInvariant();

    /// <summary>What services and submitters are told of it; null when there is no server.</summary>
    public (string, string)[]? Settings =>
        _server is [var endpoint, var key, var secret] ? [("S3__Endpoint", endpoint), ("S3__AccessKey", key), ("S3__SecretKey", secret), ("S3__Bucket", _name)] : null;

    /// <summary>The store that the services share: the bucket, or without a server the cluster's folder.</summary>
    public IArtifactStore OpenStore()
    {
        if (Settings is not { } settings) return new FileStore(cluster.Store);
        var variables = settings.Append(("S3__Cache", Path.Combine(cluster.Folder, "test"))).ToDictionary();
        return new S3Store(ClusterStore.OptionsOf(name => variables.GetValueOrDefault(name)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is null) return;
        using var client = new AmazonS3Client(
            new BasicAWSCredentials(_server[1], _server[2]), new AmazonS3Config { ServiceURL = _server[0], ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        if (!await AmazonS3Util.DoesS3BucketExistV2Async(client, _name)) return;
        await foreach (var found in client.Paginators.ListObjectsV2(new() { BucketName = _name }).S3Objects) await client.DeleteObjectAsync(_name, found.Key);
        await client.DeleteBucketAsync(_name);
    }
}
