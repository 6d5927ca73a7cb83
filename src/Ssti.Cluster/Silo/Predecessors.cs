using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Ssti.Cluster.Silo;

/// <summary>
/// Before a silo joins, those that the membership calls active and that are gone are declared dead. Orleans pings each of them and joins when all have answered:
/// one that was killed as the last of its cluster, with nobody left to notice, would keep its successor out for good.
/// </summary>
internal sealed partial class Predecessors(
    IMembershipTable membership, ILocalSiloDetails self, IOptions<ClusterMembershipOptions> options, TimeProvider time, ILogger<Predecessors> log)
    : ILifecycleParticipant<ISiloLifecycle>
{
    // After the table is there and before this silo writes itself into it, for which Orleans reads the table anew.
    private const int BeforeJoining = ServiceLifecycleStage.AfterRuntimeGrainServices - 1;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Contact = TimeSpan.FromSeconds(2);

    // Of a living silo the sign of life moves within this time.
    private readonly TimeSpan _silence = (options.Value.IAmAliveTablePublishTimeout * options.Value.NumMissedTableIAmAliveLimit) + TimeSpan.FromSeconds(1);
    private readonly Dictionary<SiloAddress, (DateTime Sign, long Since)> _watched = [];

    private enum Finding
    {
        Alive,
        Silent,
        Gone,
    }

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(Predecessors), BeforeJoining, LayToRestAsync, _ => Task.CompletedTask);

    private async Task LayToRestAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var table = await membership.ReadAllAsync(cancellation).ConfigureAwait(false);
            var others = table.Members.Where(row => row.Item1.Status == SiloStatus.Active && !row.Item1.SiloAddress.Equals(self.SiloAddress)).ToList();
            var findings = await Task.WhenAll(others.Select(other => LookAsync(other.Item1, cancellation))).ConfigureAwait(false);
            // One at a time, since a row changes together with the version of the table. Where another silo was quicker, it is looked at anew.
            if (Array.IndexOf(findings, Finding.Gone) is >= 0 and var gone)
            {
                var (row, tag) = others[gone];
                row.Status = SiloStatus.Dead;
                row.AddSuspector(self.SiloAddress, time.GetUtcNow().UtcDateTime);
                if (await membership.UpdateRowAsync(row, tag, table.Version.Next(), cancellation).ConfigureAwait(false)) LogDead(row.SiloAddress, row.HostName);
            }
            else if (Array.IndexOf(findings, Finding.Silent) >= 0)
            {
                await Task.Delay(Pause, time, cancellation).ConfigureAwait(false);
            }
            else
            {
                return;
            }
        }
    }

    private async Task<Finding> LookAsync(MembershipEntry row, CancellationToken cancellation)
    {
        if (row.HostName == self.DnsHostName && IsFreeHere(row.SiloAddress.Endpoint)) return Finding.Gone;
        lock (_watched)
        {
            if (_watched.TryGetValue(row.SiloAddress, out var seen))
            {
                // One that lives and cannot be reached from here is left to Orleans, which gives up and names it.
                return seen.Sign != row.IAmAliveTime ? Finding.Alive : time.GetElapsedTime(seen.Since) > _silence ? Finding.Gone : Finding.Silent;
            }
        }

        // Something else may listen there by now, and clocks may differ: what looks old is watched as well, and by this machine's clock alone.
        var old = time.GetUtcNow().UtcDateTime - row.IAmAliveTime > _silence;
        if (!old && await AnswersAsync(row.SiloAddress.Endpoint, cancellation).ConfigureAwait(false)) return Finding.Alive;
        LogWaiting(row.SiloAddress, row.HostName, _silence.TotalSeconds);
        lock (_watched) _watched[row.SiloAddress] = (row.IAmAliveTime, time.GetTimestamp());
        return Finding.Silent;
    }

    // An address that this process can listen on is this machine's, and nobody else's now.
    private static bool IsFreeHere(IPEndPoint endpoint)
    {
        try
        {
            using var listener = new TcpListener(endpoint);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersAsync(IPEndPoint endpoint, CancellationToken cancellation)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Contact);
        try
        {
            await socket.ConnectAsync(endpoint, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "silo {Silo} on {Host} is gone without having said so: declared dead")]
    private partial void LogDead(SiloAddress silo, string host);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "waiting for silo {Silo} on {Host}, which stands as active in Redis and does not answer: without a sign of life it counts as dead after {Seconds} s")]
    private partial void LogWaiting(SiloAddress silo, string host, double seconds);
}
