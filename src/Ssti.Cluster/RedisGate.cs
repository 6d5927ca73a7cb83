using StackExchange.Redis;

namespace Ssti.Cluster;

/// <summary>Waits for Redis, so that services and their Redis may be started together.</summary>
internal static class RedisGate
{
    /// <summary>Returns once Redis answers.</summary>
    /// <param name="options">How to reach it.</param>
    /// <param name="patience">How long to wait; half a minute by default.</param>
    /// <exception cref="ClusterException">It does not, for too long.</exception>
    public static void WaitFor(ConfigurationOptions options, TimeSpan? patience = null)
    {
        var once = options.Clone();
        (once.AbortOnConnectFail, once.ConnectRetry, once.ConnectTimeout) = (true, 0, 2000);
        var until = DateTime.UtcNow + (patience ?? TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                using var connection = ConnectionMultiplexer.Connect(once);
                connection.GetDatabase().Ping();
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                var where = string.Join(", ", options.EndPoints.Select(point => point is System.Net.DnsEndPoint name ? $"{name.Host}:{name.Port}" : point.ToString()));
                if (DateTime.UtcNow > until)
                    throw new ClusterException($"Redis at {where} does not answer ({Cause(e)}); "
                        + "start it (redis-server --appendonly yes), or correct the connection string", e);
                Thread.Sleep(200);
            }
        }
    }

    private static string Cause(Exception error) => (error.InnerException ?? error).GetBaseException().Message.Split('\n')[0].TrimEnd('.');
}
