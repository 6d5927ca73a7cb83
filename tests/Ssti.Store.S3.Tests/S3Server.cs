using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Ssti.Store.S3.Tests;

/// <summary>
/// The real S3 server that the tests run against: named by <c>SSTI_TEST_S3</c> as <c>endpoint,key,secret</c>. It is started by whoever runs the
/// tests; without one they skip. A run has a bucket of its own, a test a prefix in it.
/// </summary>
public sealed class S3Server : IAsyncLifetime
{
    public const string Variable = "SSTI_TEST_S3";
    private readonly string[]? _parts = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named.Split(',') : null;
    private int _spaces;

    public string Bucket { get; } = $"ssti-test-{Guid.NewGuid():n}"[..30];

    public Uri Endpoint => new(Parts[0]);

    /// <summary>A client past the store, to look at what is really there and to damage it.</summary>
    public AmazonS3Client Raw { get; private set; } = null!;

    private string[] Parts
    {
        get
        {
            Skip.If(_parts is null, $"needs an S3 server: set {Variable} to its endpoint,key,secret, such as http://127.0.0.1:7480,testkey,testsecret123");
            return _parts is { Length: 3 } parts ? parts : throw new InvalidOperationException($"{Variable} is not endpoint,key,secret");
        }
    }

    public async Task InitializeAsync()
    {
        if (_parts is null) return;
        Raw = new AmazonS3Client(new BasicAWSCredentials(Parts[1], Parts[2]), new AmazonS3Config
        {
            ServiceURL = Parts[0],
            ForcePathStyle = true,
            AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        await Raw.PutBucketAsync(Bucket);
    }

    public async Task DisposeAsync()
    {
        if (_parts is null) return;
        await EmptyAsync(Bucket);
        await Raw.DeleteBucketAsync(Bucket);
        Raw.Dispose();
    }

    /// <summary>Options for a place of the caller's own: a prefix nobody else uses, no patience, small parts.</summary>
    public S3Options Options(string cache) => new()
    {
        Endpoint = Endpoint,
        Bucket = Bucket,
        Prefix = $"space/{Interlocked.Increment(ref _spaces)}",
        AccessKey = Parts[1],
        SecretKey = Parts[2],
        PartSize = 5 << 20,
        Attempts = 4,
        Timeout = TimeSpan.FromSeconds(10),
        Cache = cache,
    };

    public async Task PutRawAsync(S3Options options, string key, byte[] content) => await Raw.PutObjectAsync(
        new PutObjectRequest { BucketName = options.Bucket, Key = $"{options.Prefix}/{key}", InputStream = new MemoryStream(content), UseChunkEncoding = false });

    public async Task<List<string>> KeysAsync(S3Options options)
    {
        var keys = new List<string>();
        await foreach (var found in Raw.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = options.Bucket, Prefix = options.Prefix + "/" }).S3Objects)
            keys.Add(found.Key[(options.Prefix.Length + 1)..]);
        return keys;
    }

    public async Task<int> UploadsAsync(S3Options options) =>
        (await Raw.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = options.Bucket, Prefix = options.Prefix })).MultipartUploads?.Count ?? 0;

    public async Task EmptyAsync(string bucket)
    {
        foreach (var upload in (await Raw.ListMultipartUploadsAsync(bucket)).MultipartUploads ?? []) await Raw.AbortMultipartUploadAsync(bucket, upload.Key, upload.UploadId);
        var keys = new List<string>();
        await foreach (var found in Raw.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = bucket }).S3Objects) keys.Add(found.Key);
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (key, token) => await Raw.DeleteObjectAsync(bucket, key, token));
    }
}

/// <summary>One server and one bucket for all tests of a run.</summary>
[CollectionDefinition(Name)]
public sealed class S3Collection : ICollectionFixture<S3Server>
{
    public const string Name = "S3 server";
}
