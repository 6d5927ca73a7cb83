using System.CommandLine;
using System.Globalization;
using Ssti.Cluster;
using Ssti.Cluster.Client;
using Ssti.Cluster.Security;
using Ssti.Store;
using Ssti.Store.S3;

namespace Ssti.Cli.Commands;

/// <summary>A run that a cluster executes: the connection, and the store that both sides share.</summary>
internal sealed class ClusterRun(ClusterConnection connection) : IAsyncDisposable
{
    // The cluster's own slots decide how many stages run at once; this only bounds how many are asked for.
    public const int Jobs = 256;

    public static Option<string?> Option { get; } = new("--cluster")
    {
        Description = "Run the stages on a cluster: its Redis (host:port,options), local[:port] for 'ssti serve', or gateway:ip:port for a silo of one without Redis.",
        HelpName = "where",
    };

    public ClusterConnection Connection { get; } = connection;

    /// <summary>Connects when the command line asks for a cluster; null otherwise.</summary>
    /// <exception cref="ClusterException">No silo answers, or fewer than <c>Ssti__Silos</c>.</exception>
    public static async Task<ClusterRun?> OpenAsync(ParseResult parsed, CliHost host, CancellationToken cancellation) => parsed.GetValue(Option) is { } where
        ? new ClusterRun(await ClusterConnection.OpenAsync(
            ClusterAddress.Parse(where, host.Environment("Ssti__ClusterId"), host.Environment), cancellation, ClusterSecurity.From(host.Environment), Silos(host)))
        : null;

    private static int Silos(CliHost host) => host.Environment("Ssti__Silos") is not { Length: > 0 } text ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count
        : throw new ClusterException($"Ssti__Silos is '{text}'; write how many silos to wait for, a whole number from 1");

    /// <summary>The store that silos share with this command: S3 when the environment names a bucket, else what the command line names.</summary>
    /// <exception cref="StoreException">A URL, or what belongs to it in the environment, is malformed.</exception>
    public static OpenStore Store(ParseResult parsed, CliHost host, string pipeline)
    {
        var named = CommonOptions.Open(parsed, host, pipeline);
        return string.IsNullOrEmpty(host.Environment("S3__Bucket")) ? named : named with { Artifacts = new S3Store(ClusterStore.OptionsOf(host.Environment)) };
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
