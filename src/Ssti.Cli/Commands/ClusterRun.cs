using System.CommandLine;
using Ssti.Cluster;
using Ssti.Cluster.Client;
using Ssti.Store;
using Ssti.Store.Files;
using Ssti.Store.S3;

namespace Ssti.Cli.Commands;

/// <summary>A run that a cluster executes: the connection, and the store that both sides share.</summary>
internal sealed class ClusterRun(ClusterConnection connection) : IAsyncDisposable
{
    // The cluster's own slots decide how many stages run at once; this only bounds how many are asked for.
    public const int Jobs = 256;

    private static readonly string[] S3Variables =
    [
        "S3__Bucket", "S3__Endpoint", "S3__AccessKey", "S3__SecretKey", "S3__SessionToken", "S3__Region", "S3__CreateBucket", "S3__Concurrency", "S3__PartSize",
        "S3__Attempts", "S3__Timeout", "S3__ConnectTimeout", "S3__Cache", "S3__CacheSize", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME",
    ];

    public static Option<string?> Option { get; } = new("--cluster")
    {
        Description = "Run the stages on a cluster: its Redis (host:port,options), or local[:port] for 'ssti serve'.",
        HelpName = "where",
    };

    public ClusterConnection Connection { get; } = connection;

    /// <summary>Connects when the command line asks for a cluster; null otherwise.</summary>
    /// <exception cref="ClusterException">No silo answers.</exception>
    public static async Task<ClusterRun?> OpenAsync(ParseResult parsed, CliHost host, CancellationToken cancellation) => parsed.GetValue(Option) is { } where
        ? new ClusterRun(await ClusterConnection.OpenAsync(ClusterAddress.Parse(where, host.Environment("Ssti__ClusterId")), cancellation))
        : null;

    /// <summary>The store that silos share with this command: S3 when the environment names a bucket, else the folder.</summary>
    public static IArtifactStore Store(ParseResult parsed, CliHost host)
    {
        var variables = S3Variables.ToDictionary(name => name, host.Environment);
        return string.IsNullOrEmpty(variables["S3__Bucket"]) ? new FileStore(CommonOptions.StoreFolder(parsed, host)) : new S3Store(ClusterStore.OptionsOf(variables));
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
