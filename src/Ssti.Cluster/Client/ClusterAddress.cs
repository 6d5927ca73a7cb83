using System.Globalization;
using System.Net;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Ssti.Cluster.Silo;
using StackExchange.Redis;

namespace Ssti.Cluster.Client;

/// <summary>
/// Where a cluster is: <c>local</c> or <c>local:port</c> for <c>ssti serve</c> on this machine, <c>gateway:ip:port</c> for a silo of a cluster without Redis,
/// otherwise the Redis that its silos share.
/// </summary>
public sealed class ClusterAddress
{
    /// <summary>The gateway's port of <c>ssti serve</c> unless told otherwise.</summary>
    public const int DefaultPort = 30000;

    private const string Local = "local", Gateway = "gateway:";
    private readonly string _clusterId;
    private readonly ConfigurationOptions? _redis;
    private readonly IPEndPoint? _gateway;

    private ClusterAddress(string text, string clusterId, ConfigurationOptions? redis, IPEndPoint? gateway) =>
        (Text, _clusterId, _redis, _gateway) = (text, clusterId, redis, gateway);

    /// <summary>The address for messages: without a password that a connection string may hold.</summary>
    public string Text { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="clusterId">Tells clusters on one Redis apart; null for the usual.</param>
    /// <param name="variables">Gives variables, of which the files of Redis's TLS are read; null for none.</param>
    /// <exception cref="ClusterException">It is none.</exception>
    public static ClusterAddress Parse(string text, string? clusterId = null, Func<string, string?>? variables = null)
    {
        clusterId = string.IsNullOrEmpty(clusterId) ? "ssti" : clusterId;
        if (text == Local || text.StartsWith(Local + ":", StringComparison.Ordinal))
        {
            var port = DefaultPort;
            if (text != Local && !(int.TryParse(text.AsSpan(Local.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535))
                throw new ClusterException($"'{ClusterSettings.Shown(text)}' has no port; write local:{DefaultPort}, or local alone");
            return new ClusterAddress(text, clusterId, null, new IPEndPoint(IPAddress.Loopback, port));
        }

        if (text.StartsWith(Gateway, StringComparison.Ordinal))
        {
            return IPEndPoint.TryParse(text.AsSpan(Gateway.Length), out var gateway) && gateway.Port > 0
                ? new ClusterAddress(text, clusterId, null, gateway)
                : throw new ClusterException($"'{ClusterSettings.Shown(text)}' names no gateway; write gateway:IP:PORT, with the silo's Ssti__GatewayPort");
        }

        var redis = ClusterSettings.ParseRedis(text, variables);
        return new ClusterAddress($"Redis {ClusterSettings.Shown(text)}", clusterId, redis, null);
    }

    /// <summary>What to do when no silo answers there.</summary>
    internal string Advice =>
        _gateway is null ? "start the services (see docs/cluster.md), or correct the connection string"
        : Text.StartsWith(Gateway, StringComparison.Ordinal) ? "start a silo there (Ssti__Address, Ssti__GatewayPort; see docs/cluster.md), or correct the address"
        : "start it with 'ssti serve', or name its port: local:PORT";

    internal void WaitForRedis()
    {
        if (_redis is not null) RedisGate.WaitFor(_redis, TimeSpan.FromSeconds(5));
    }

    internal void Use(IClientBuilder client)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (_clusterId, SiloComposition.ServiceId));
        if (_redis is not null) client.UseRedisClustering(options => options.ConfigurationOptions = _redis);
        else client.UseStaticClustering(_gateway!);
    }
}
