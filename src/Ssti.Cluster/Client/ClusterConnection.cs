using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Ssti.Cluster.Grains;
using Ssti.Cluster.Security;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cluster.Client;

/// <summary>A submitter's connection to a cluster.</summary>
public sealed class ClusterConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // For silos that are still being started, which a batch system may take its time for.
    private static readonly TimeSpan PatienceForMany = TimeSpan.FromMinutes(2);

    // Who was refused by one silo may still be taken by another, and will not be by trying for long. One that is being started may be too busy to answer in time.
    private static readonly TimeSpan PatienceWhenRefused = TimeSpan.FromSeconds(2), PatienceWhenRefusedAtStart = TimeSpan.FromSeconds(20);
    private readonly IHost _host;

    private ClusterConnection(IHost host, IReadOnlyList<SiloReport> silos)
    {
        _host = host;
        Silos = silos;
    }

    /// <summary>How many silos there were when the connection was made.</summary>
    public int SiloCount => Silos.Count;

    internal IReadOnlyList<SiloReport> Silos { get; }

    internal IClusterClient Client => _host.Services.GetRequiredService<IClusterClient>();

    /// <summary>Connects.</summary>
    /// <param name="address">Where the cluster is.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="security">How connections are protected; null for plain ones on this machine.</param>
    /// <param name="silos">How many silos are waited for, since keys are those of what the cluster's machines have; 0 for any.</param>
    /// <exception cref="ClusterException">No silo answers there, or not as many as wanted, or none lets this side in.</exception>
    public static async Task<ClusterConnection> OpenAsync(
        ClusterAddress address, CancellationToken cancellation = default, ClusterSecurity? security = null, int silos = 0)
    {
        var guard = new ConnectionGuard(security ?? new ClusterSecurity(), isSilo: false, new ConnectionNotes());
        address.WaitForRedis();
        var refused = silos > 0 ? PatienceWhenRefusedAtStart : PatienceWhenRefused;
        var (began, until) = (DateTime.UtcNow, DateTime.UtcNow + (silos > 0 ? PatienceForMany : Patience));
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(client =>
        {
            address.Use(client);
            client.Configure<ClientConnectionOptions>(guard.Guard);
            // A gateway that dies is soon replaced by another, and a call that waits for a dead silo does not wait long.
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(3));
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(10));
            client.AddActivityPropagation();
            client.UseConnectionRetryFilter(async (_, stop) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), stop).ConfigureAwait(false);
                return DateTime.UtcNow < (guard.Notes.LastRefusal is null ? until : began + refused);
            });
        });
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellation).ConfigureAwait(false);
            var client = host.Services.GetRequiredService<IClusterClient>();
            while (true)
            {
                var heard = await client.GetGrain<IRosterGrain>(0).LookAsync().ConfigureAwait(false);
                if (heard.Count >= Math.Max(1, silos)) return new ClusterConnection(host, heard);
                // A roster that has just begun has heard from nobody yet.
                if (DateTime.UtcNow > until && heard.Count > 0)
                    throw new ClusterException(
                        $"{heard.Count} of {silos} silos (Ssti__Silos) have come up at {address.Text} in {PatienceForMany.TotalMinutes:0} "
                        + "minutes; look at what the others say");
                if (DateTime.UtcNow > until) throw new TimeoutException("no silo has reported");
                await Task.Delay(TimeSpan.FromMilliseconds(250), cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or SiloUnavailableException ||
            e.GetType().Namespace?.StartsWith("Orleans", StringComparison.Ordinal) == true)
        {
            host.Dispose();
            if (guard.Notes.LastRefusal is { } refusal) throw new ClusterException($"no silo of {address.Text} lets this side in: {refusal}", e);
            throw new ClusterException($"no silo answers at {address.Text}: {address.Advice}"
                + (guard.IsTls ? "" : "; silos with TLS answer nobody without (Ssti__Tls__Certificate, Ssti__Tls__Key, Ssti__Tls__Authority)"), e);
        }
        catch (StackExchange.Redis.RedisException e)
        {
            host.Dispose();
            throw new ClusterException($"{address.Text} {RedisGate.Refusal(e) ?? $"cannot be used: {e.Message}"}", e);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>What the cluster computes with, so that keys are those of its machines.</summary>
    /// <param name="here">This machine, where no silo computes with tensors.</param>
    public IComputeProbe Probe(IComputeProbe here) => new ClusterProbe(Silos, here);

    /// <summary>The worker that hands stages to the cluster.</summary>
    /// <param name="store">The store that the cluster uses, too.</param>
    public IStageWorker Worker(IArtifactStore store) => new ClusterWorker(Client, store, [.. Silos.Select(silo => silo.Store).Distinct()]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _host.StopAsync(soon.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The cluster may be gone; its answer is not needed.
        }

        _host.Dispose();
    }
}
