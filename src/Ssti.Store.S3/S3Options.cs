using System.Text;

namespace Ssti.Store.S3;

/// <summary>Where an S3 store is, who asks, and how hard it is asked. Any S3 server will do: MinIO, Ceph, AWS.</summary>
/// <remarks>The text form hides the secret, so that options can be logged.</remarks>
public sealed record S3Options
{
    /// <summary>The server, such as <c>http://127.0.0.1:9000</c>. Buckets are addressed by path, not by host name.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The bucket.</summary>
    public required string Bucket { get; init; }

    /// <summary>What stands before every key, without slashes at its ends; empty for the whole bucket.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The access key's name.</summary>
    public required string AccessKey { get; init; }

    /// <summary>The access key's secret.</summary>
    public required string SecretKey { get; init; }

    /// <summary>The token of temporary credentials; null for lasting ones.</summary>
    public string? SessionToken { get; init; }

    /// <summary>The region that requests are signed for; servers other than AWS take <c>us-east-1</c>.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Whether a bucket that does not exist is created.</summary>
    public bool CreateBucket { get; init; }

    /// <summary>How many requests are under way at once.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>
    /// Bytes of one part of a large blob; blobs up to this size travel in one request. S3 takes no part under 5 MiB, and at most 10,000 parts
    /// (the size is raised for a blob that would need more).
    /// </summary>
    public long PartSize { get; init; } = 16L << 20;

    /// <summary>How often a request is tried without getting any further.</summary>
    public int Attempts { get; init; } = 7;

    /// <summary>How long nothing may move on a connection before the attempt counts as failed. A slow but steady body is no failure.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long connecting may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The folder of the local cache, laid out as a <see cref="Files.FileStore"/>. Several stores and processes may share one.
    /// </summary>
    public required string Cache { get; init; }

    /// <summary>Bytes that the cache may hold: the blobs longest unused are deleted beyond it.</summary>
    public long CacheBytes { get; init; } = 50L << 30;

    /// <summary>
    /// A blob used this recently is not deleted from the cache, even where the cache then holds more than <see cref="CacheBytes"/>:
    /// a path that was handed out must stay good while a stage reads it.
    /// </summary>
    public TimeSpan CacheGrace { get; init; } = TimeSpan.FromHours(12);

    // Names a page of a listing holds; S3's own limit. Tests lower it, to see several pages.
    internal int PageSize { get; init; } = 1000;

    /// <summary>
    /// Reads a store's URL, <c>s3://bucket</c> or <c>s3://bucket/prefix</c>, and takes the rest from an environment: <c>S3__Endpoint</c>
    /// (else <c>AWS_ENDPOINT_URL_S3</c>, <c>AWS_ENDPOINT_URL</c>, else AWS), <c>S3__AccessKey</c> (else <c>AWS_ACCESS_KEY_ID</c>),
    /// <c>S3__SecretKey</c> (else <c>AWS_SECRET_ACCESS_KEY</c>), <c>S3__SessionToken</c> (else <c>AWS_SESSION_TOKEN</c>),
    /// <c>S3__Region</c> (else <c>AWS_REGION</c>, <c>AWS_DEFAULT_REGION</c>), <c>S3__CreateBucket</c>, <c>S3__Concurrency</c>, <c>S3__PartSize</c>,
    /// <c>S3__Attempts</c>, <c>S3__Timeout</c> and <c>S3__ConnectTimeout</c> (seconds), <c>S3__Cache</c> (else <c>ssti/blobs</c> in the user's
    /// cache folder: <c>XDG_CACHE_HOME</c>, <c>LOCALAPPDATA</c>, or <c>.cache</c> in <c>HOME</c>), <c>S3__CacheSize</c> (such as <c>20GiB</c>).
    /// </summary>
    /// <param name="url">The URL.</param>
    /// <param name="environment">The variables; an empty value counts as absent.</param>
    /// <exception cref="StoreException">Something is missing or malformed; the message names it.</exception>
    public static S3Options Parse(string url, IReadOnlyDictionary<string, string?> environment) => Parse(url, name => environment.GetValueOrDefault(name));

    /// <summary>Like the other, with the variables looked up one by one.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="environment">Gives a variable, or null.</param>
    /// <exception cref="StoreException">Something is missing or malformed; the message names it.</exception>
    public static S3Options Parse(string url, Func<string, string?> environment) => new S3OptionsParser(environment).Parse(url);

    /// <summary>The store's URL.</summary>
    public string Url => Prefix.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{Prefix}";

    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"{Url} at {Endpoint}, key {AccessKey}, region {Region}, {Concurrency} requests at once, parts of {PartSize} bytes, cache {Cache}");
        return true;
    }
}
