using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Orleans.Runtime;
using System.IO.Pipelines;

namespace Ssti.Cluster.Security;

/// <summary>
/// Before a silo joins, it asks those that are there whether they take its certificate. Orleans would try to connect for minutes, and say nothing of the reason.
/// </summary>
internal sealed class Knock(IMembershipTable membership, ILocalSiloDetails self, ConnectionGuard guard) : ILifecycleParticipant<ISiloLifecycle>
{
    // With the predecessors' funeral, and after it: both come before this silo is in the table.
    private const int BeforeJoining = ServiceLifecycleStage.AfterRuntimeGrainServices - 1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(Knock), BeforeJoining, AskAsync, _ => Task.CompletedTask);

    private async Task AskAsync(CancellationToken cancellation)
    {
        var table = await membership.ReadAllAsync(cancellation).ConfigureAwait(false);
        var others = table.Members.Select(row => row.Item1).Where(row => row.Status == SiloStatus.Active && !row.SiloAddress.Equals(self.SiloAddress));
        var answers = await Task.WhenAll(others.Select(other => AskAsync(other.SiloAddress, cancellation))).ConfigureAwait(false);
        if (answers.FirstOrDefault(answer => answer is not null) is { } refusal) throw new ClusterException($"cannot join the cluster: {refusal}");
    }

    // Null for welcome, and for whoever does not answer: that is for others to find out.
    private async Task<string?> AskAsync(SiloAddress silo, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        string? mistrust = null;
        using var client = new TcpClient(silo.Endpoint.AddressFamily);
        try
        {
            await client.ConnectAsync(silo.Endpoint, limit.Token).ConfigureAwait(false);
            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsClientAsync(guard.Client(problem => mistrust = problem), limit.Token).ConfigureAwait(false);
            return await Verdicts.HearAsync(PipeReader.Create(stream), limit.Token).ConfigureAwait(false) is { } problem ? ConnectionGuard.Refused(silo.Endpoint, problem) : null;
        }
        catch (AuthenticationException)
        {
            return mistrust is null ? $"the silo at {silo.Endpoint} speaks no TLS" : ConnectionGuard.Mistrusted(silo.Endpoint, mistrust);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
