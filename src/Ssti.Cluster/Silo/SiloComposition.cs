using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Ssti.Cluster.Placement;

namespace Ssti.Cluster.Silo;

/// <summary>Puts a silo together: membership, endpoints, how fast a dead one is noticed, what it says of itself.</summary>
internal static class SiloComposition
{
    /// <summary>The name under which state of this program stands wherever several share a Redis.</summary>
    public const string ServiceId = "ssti";

    public static void Use(this ISiloBuilder silo, ClusterSettings settings, SiloDuties duties)
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
        var (siloPort, gatewayPort) = (Port(settings.SiloPort), Port(settings.GatewayPort));
        if (settings.Redis is { } redis)
        {
            silo.UseRedisClustering(options => options.ConfigurationOptions = redis);
            silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, Predecessors>();
        }
        else
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort, settings.Primary, ServiceId, settings.ClusterId);
        }

        silo.ConfigureEndpoints(address, siloPort, gatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(address));
        silo.UseSiloMetadata(SiloCapabilities.Of(duties.Kinds.Kinds, duties.Devices));
        silo.Services.AddPlacementFilter<CapableSilosFilter, CapableSilosDirector>(ServiceLifetime.Singleton);
        silo.AddActivityPropagation();
    }

    private static int Port(int asked)
    {
        if (asked > 0) return asked;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // The address of this machine on the way to Redis is one that others who reach Redis can reach, too. Connecting a datagram socket sends nothing.
    private static IPAddress OwnAddress(ClusterSettings settings)
    {
        if (settings.Redis?.EndPoints[0] is not { } redis) return IPAddress.Loopback;
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            if (redis is DnsEndPoint name) socket.Connect(name.Host, name.Port);
            else socket.Connect(redis);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException e)
        {
            throw new ClusterException($"Redis at {redis} has no address this machine can reach ({e.Message}); "
                + "correct ConnectionStrings__redis, or set Ssti__Address", e);
        }
    }
}
