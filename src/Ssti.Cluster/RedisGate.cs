using System.Security.Authentication;
using StackExchange.Redis;

namespace Ssti.Cluster;

/// <summary>Waits for Redis, so that services and their Redis may be started together; says in words what Redis holds against somebody.</summary>
internal static class RedisGate
{
    /// <summary>Returns once Redis answers.</summary>
    /// <param name="options">How to reach it.</param>
    /// <param name="patience">How long to wait; half a minute by default. Who is refused need not wait.</param>
    /// <param name="writesTo">A hash that this side has to write to; null where it only reads. Orleans would try for ever, and in silence.</param>
    /// <exception cref="ClusterException">It does not, for too long, or refuses this side.</exception>
    public static void WaitFor(ConfigurationOptions options, TimeSpan? patience = null, RedisKey? writesTo = null)
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
                // A write that changes nothing: no silo is called so.
                if (writesTo is { } hash) connection.GetDatabase().HashDelete(hash, "may this user write?");
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                if (Refusal(e) is { } refusal) throw new ClusterException($"{Shown(options)} {refusal}", e);
                if (DateTime.UtcNow > until)
                    throw new ClusterException($"{Shown(options)} does not answer ({Cause(e)}); "
                        + "start it (redis-server --appendonly yes), or correct the connection string", e);
                Thread.Sleep(200);
            }
        }
    }

    /// <summary>The server for messages.</summary>
    public static string Shown(ConfigurationOptions options) =>
        $"Redis at {string.Join(", ", options.EndPoints.Select(point => point is System.Net.DnsEndPoint name ? $"{name.Host}:{name.Port}" : point.ToString()))}";

    /// <summary>Why Redis does not serve this side, as the end of a sentence; null when it is something else, such as its absence.</summary>
    public static string? Refusal(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (e is AuthenticationException)
                return $"and this side do not agree on TLS ({Line(e)}); see that both use it (ssl=true), that Ssti__Redis__Authority signed its certificate, "
                    + "and that the certificate has the server's name (else sslHost=…)";
            if (e.Message.Contains("WRONGPASS", StringComparison.Ordinal) || e.Message.Contains("invalid password", StringComparison.OrdinalIgnoreCase))
                return "does not take the user or the password (user=… and password=… of the connection string, or Ssti__Redis__Password)";
            if (e.Message.Contains("NOAUTH", StringComparison.Ordinal)) return "wants a password: password=… in the connection string, or Ssti__Redis__Password";
            if (e.Message.Contains("NOPERM", StringComparison.Ordinal))
                return $"does not let this user do what is needed ({Line(e)}): docs/security.md has the rights of silos and submitters";
        }

        return error is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } ? $"refuses this side ({Line(error)})" : null;
    }

    private static string Cause(Exception error) => Line((error.InnerException ?? error).GetBaseException());

    private static string Line(Exception error) => error.Message.Split('\n')[0].TrimEnd('.');
}
