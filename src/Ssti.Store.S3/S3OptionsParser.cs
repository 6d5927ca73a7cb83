using System.Globalization;
using System.Text.RegularExpressions;

namespace Ssti.Store.S3;

/// <summary>Reads options from a URL and an environment: a pure function, so that it can be tried without touching the process.</summary>
internal sealed partial class S3OptionsParser(Func<string, string?> environment)
{
    private const long SmallestPart = 5L << 20, LargestPart = 1L << 30;
    private const string DefaultRegion = "us-east-1";

    public S3Options Parse(string url)
    {
        var (bucket, prefix) = Place(url);
        var region = Get("S3__Region", "AWS_REGION", "AWS_DEFAULT_REGION") ?? DefaultRegion;
        return new S3Options
        {
            Endpoint = Endpoint(region),
            Bucket = bucket,
            Prefix = prefix,
            AccessKey = Need("an access key", "S3__AccessKey", "AWS_ACCESS_KEY_ID"),
            SecretKey = Need("the access key's secret", "S3__SecretKey", "AWS_SECRET_ACCESS_KEY"),
            SessionToken = Get("S3__SessionToken", "AWS_SESSION_TOKEN"),
            Region = region,
            CreateBucket = Flag("S3__CreateBucket"),
            Concurrency = (int)Number("S3__Concurrency", 16, 1, 256),
            PartSize = Size("S3__PartSize", 16L << 20, SmallestPart, LargestPart),
            Attempts = (int)Number("S3__Attempts", 7, 1, 100),
            Timeout = TimeSpan.FromSeconds(Number("S3__Timeout", 60, 1, 3600)),
            ConnectTimeout = TimeSpan.FromSeconds(Number("S3__ConnectTimeout", 5, 1, 3600)),
            Cache = Cache(),
            CacheBytes = Size("S3__CacheSize", 50L << 30, 0, long.MaxValue),
        };
    }

    private static (string Bucket, string Prefix) Place(string url)
    {
        if (!url.StartsWith("s3://", StringComparison.OrdinalIgnoreCase))
            throw new StoreException($"'{url}' is not the URL of an S3 store; write s3://bucket/prefix");
        var place = url[5..].Trim('/');
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? place : place[..slash];
        if (!BucketName().IsMatch(bucket))
        {
            throw new StoreException(
                $"'{bucket}' in '{url}' is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends");
        }

        var prefix = slash < 0 ? "" : place[(slash + 1)..];
        // A key is signed as it is written: characters that HTTP libraries rewrite would lead to another key, or to none.
        if (!PrefixPath().IsMatch(prefix) || prefix.Split('/').Any(part => part is "." or ".."))
            throw new StoreException($"'{prefix}' in '{url}' is not a plain prefix: letters, digits and -_.=+@ between single slashes");
        return (bucket, prefix);
    }

    private Uri Endpoint(string region)
    {
        var named = Get("S3__Endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
        // It stands in every message; whose it is says the access key.
        if (named?.Contains('@', StringComparison.Ordinal) == true)
            throw new StoreException("S3__Endpoint (or AWS_ENDPOINT_URL) has a user or password in it; the key goes into S3__AccessKey and S3__SecretKey");
        if (named is null) return new Uri($"https://s3.{region}.amazonaws.com");
        if (Uri.TryCreate(named, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/") return uri;
        throw new StoreException($"'{named}' is not the address of an S3 server; set S3__Endpoint to one such as http://127.0.0.1:9000, without a path");
    }

    private string Cache()
    {
        if (Get("S3__Cache") is { } named) return Path.GetFullPath(named);
        if (Get("XDG_CACHE_HOME", "LOCALAPPDATA") is { } caches) return Path.GetFullPath(Path.Combine(caches, "ssti", "blobs"));
        if (Get("HOME") is { } home) return Path.GetFullPath(Path.Combine(home, ".cache", "ssti", "blobs"));
        throw new StoreException("an S3 store needs a folder for its local cache, and there is no home folder; set S3__Cache to one");
    }

    private string? Get(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (environment(name) is { } value && !string.IsNullOrWhiteSpace(value)) return value.Trim();
        }

        return null;
    }

    private string Need(string what, string name, string also) =>
        Get(name, also) ?? throw new StoreException($"an S3 store needs {what}; set {name} (or {also})");

    private bool Flag(string name) => Get(name) switch
    {
        null => false,
        var text when bool.TryParse(text, out var value) => value,
        "1" => true,
        "0" => false,
        var text => throw new StoreException($"{name} is '{text}'; write true or false"),
    };

    private long Number(string name, long otherwise, long least, long most)
    {
        if (Get(name) is not { } text) return otherwise;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new StoreException($"{name} is '{text}'; write a whole number from {least} to {most}");
    }

    private long Size(string name, long otherwise, long least, long most)
    {
        if (Get(name) is not { } text) return otherwise;
        var match = SizeText().Match(text);
        if (match.Success && long.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            Int128 unit = match.Groups[3].Success ? 1024 : 1000;
            Int128 bytes = value;
            var power = match.Groups[2].Success ? "KMGT".IndexOf(char.ToUpperInvariant(match.Groups[2].ValueSpan[0]), StringComparison.Ordinal) + 1 : 0;
            for (var i = 0; i < power; i++) bytes *= unit;
            if (bytes >= least && bytes <= most) return (long)bytes;
        }

        throw new StoreException($"{name} is '{text}'; write a size such as 64MiB" + (least > 0 ? $", from {least >> 20} MiB to {most >> 20} MiB" : ""));
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketName();

    [GeneratedRegex("^([A-Za-z0-9_.=+@-]+(/[A-Za-z0-9_.=+@-]+)*)?$")]
    private static partial Regex PrefixPath();

    [GeneratedRegex("^([0-9]+) ?(?:([KMGT])(i)?)?B?$", RegexOptions.IgnoreCase)]
    private static partial Regex SizeText();
}
