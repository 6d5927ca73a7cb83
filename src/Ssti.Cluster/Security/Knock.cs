using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Orleans.Runtime;

namespace Ssti.Cluster.Security;

/// <summary>
/// Before a silo starts, it asks those that are there whether they take its certificate. Orleans would try to connect for minutes, and say nothing of the reason.
/// </summary>
internal static class Knock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // What has given no sign of life for so long may be something else by now, at a port that is free again.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Asks the active silos of the membership table in Redis.</summary>
    /// <exception cref="ClusterException">One is not to be trusted, or refuses this side.</exception>
    public static async Task AskAsync(IMembershipTable membership, ConnectionGuard guard, CancellationToken cancellation = default)
    {
        await membership.InitializeMembershipTableAsync(true, cancellation).ConfigureAwait(false);
        var table = await membership.ReadAllAsync(cancellation).ConfigureAwait(false);
        var others = table.Members.Select(row => row.Item1).Where(row => row.Status == SiloStatus.Active && DateTime.UtcNow - row.IAmAliveTime < Silence);
        await AskAsync(others.Select(other => other.SiloAddress.Endpoint), guard, cancellation).ConfigureAwait(false);
    }

    /// <summary>Asks silos whose addresses are known.</summary>
    /// <exception cref="ClusterException">One is not to be trusted, or refuses this side.</exception>
    public static async Task AskAsync(IEnumerable<IPEndPoint> silos, ConnectionGuard guard, CancellationToken cancellation = default)
    {
        var answers = await Task.WhenAll(silos.Select(silo => AskAsync(silo, guard, cancellation))).ConfigureAwait(false);
        if (answers.FirstOrDefault(answer => answer is not null) is { } refusal) throw new ClusterException($"cannot join the cluster: {refusal}");
    }

    // Null for welcome, and for whoever gives no such answer: that is for others to find out.
    private static async Task<string?> AskAsync(IPEndPoint silo, ConnectionGuard guard, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        string? mistrust = null;
        using var client = new TcpClient(silo.AddressFamily);
        try
        {
            await client.ConnectAsync(silo, limit.Token).ConfigureAwait(false);
            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsClientAsync(guard.Client(problem => mistrust = problem), limit.Token).ConfigureAwait(false);
            return await Verdicts.HearAsync(PipeReader.Create(stream), limit.Token).ConfigureAwait(false) is { } problem ? ConnectionGuard.Refused(silo, problem) : null;
        }
        catch (AuthenticationException)
        {
            return mistrust is null ? null : ConnectionGuard.Mistrusted(silo, mistrust);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
