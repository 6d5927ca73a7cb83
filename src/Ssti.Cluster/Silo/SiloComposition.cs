using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Placement;
using Orleans.Runtime;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Security;
using StackExchange.Redis;

namespace Ssti.Cluster.Silo;

/// <summary>Puts a silo together: membership, endpoints, how fast a dead one is noticed, what it says of itself.</summary>
internal static class SiloComposition
{
    /// <summary>The name under which state of this program stands wherever several share a Redis.</summary>
    public const string ServiceId = "ssti";

    /// <summary>The hash in Redis that holds a cluster's silos.</summary>
    public static RedisKey Members(string clusterId) =>
        RedisClusteringOptions.DefaultCreateRedisKey(new ClusterOptions { ClusterId = clusterId, ServiceId = ServiceId });

    /// <summary>Does it.</summary>
    /// <returns>What to say about the silo's connections at its start, or null.</returns>
    /// <exception cref="ClusterException">It may not listen where it would, or its certificate cannot be used.</exception>
    public static string? Use(this ISiloBuilder silo, ClusterSettings settings, SiloDuties duties)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (settings.ClusterId, ServiceId));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            // A silo killed is declared dead within seconds; its connections are refused at once, so that no probe has to run out.
            options.ProbeTimeout = settings.Probe;
            options.NumMissedProbesLimit = 3;
            options.NumVotesForDeathDeclaration = 1;
            // Silos that were all killed at once must not keep their successors out for long: see Predecessors.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            options.NumMissedTableIAmAliveLimit = 2;
            options.DefunctSiloExpiration = TimeSpan.FromHours(1);
        });
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(10));
        var address = settings.Address ?? OwnAddress(settings);
        var warning = settings.Security.Admit(address);
        var (siloPort, gatewayPort) = (Port(settings.SiloPort, address), Port(settings.GatewayPort, address));
        if (settings.Redis is { } redis)
        {
            silo.UseRedisClustering(options => options.ConfigurationOptions = redis);
            silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, Predecessors>();
        }
        else
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort, settings.Primary, ServiceId, settings.ClusterId);
        }

        // Where it says that it is, and nowhere else.
        silo.ConfigureEndpoints(address, siloPort, gatewayPort, listenOnAnyHostAddress: false);
        var guard = new ConnectionGuard(settings.Security, isSilo: true, new ConnectionNotes());
        silo.Configure<SiloConnectionOptions>(guard.Guard);
        silo.Services.AddSingleton(guard);
        silo.Services.AddSingleton(services => new KnownSilos(services.GetRequiredService<ISiloStatusOracle>().IsDeadSilo));
        silo.Services.AddPlacementDirector<CapableSiloPlacement, CapableSiloDirector>(ServiceLifetime.Singleton);
        silo.AddActivityPropagation();
        return warning;
    }

    private static int Port(int asked, IPAddress address)
    {
        if (asked > 0) return asked;
        try
        {
            using var listener = new TcpListener(address, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException e)
        {
            throw new ClusterException($"{address} is no address of this machine that a silo could listen on ({e.Message}); correct Ssti__Address", e);
        }
    }

    // The address of this machine on the way to Redis, or to the silo that all join, is one that others who reach it can reach, too. Connecting a datagram socket
    // sends nothing.
    private static IPAddress OwnAddress(ClusterSettings settings)
    {
        if ((settings.Redis?.EndPoints[0] ?? settings.Primary) is not { } place) return IPAddress.Loopback;
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            if (place is DnsEndPoint name) socket.Connect(name.Host, name.Port);
            else socket.Connect(place);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException e)
        {
            throw new ClusterException($"{(settings.Redis is null ? "the primary" : "Redis")} at {place} has no address this machine can reach ({e.Message}); "
                + $"correct {(settings.Redis is null ? "Ssti__Primary" : "ConnectionStrings__redis")}, or set Ssti__Address", e);
        }
    }
}
