using System.Net;

namespace Ssti.Cluster.Security;

/// <summary>How this side's connections to silos are protected: by TLS, or not at all, which is for one machine only unless somebody says otherwise.</summary>
/// <param name="Tls">TLS; null for plain connections.</param>
/// <param name="Insecure">Whether plain connections may leave the machine (<c>Ssti__Insecure=true</c>).</param>
public sealed record ClusterSecurity(TlsSettings? Tls = null, bool Insecure = false)
{
    /// <summary>What to do about plain connections between machines.</summary>
    internal const string Cure = "set Ssti__Tls__Certificate, Ssti__Tls__Key and Ssti__Tls__Authority ('ssti certificates <folder>' makes them), "
        + "or Ssti__Insecure=true on a network of the cluster's own";

    /// <summary>Reads the settings.</summary>
    /// <param name="variables">Gives a variable, or null.</param>
    /// <exception cref="ClusterException">They are incomplete or malformed.</exception>
    public static ClusterSecurity From(Func<string, string?> variables)
    {
        var text = variables("Ssti__Insecure");
        var insecure = string.IsNullOrWhiteSpace(text) ? false
            : bool.TryParse(text, out var flag) ? flag : throw new ClusterException($"Ssti__Insecure is '{text}'; write true or false");
        return new ClusterSecurity(TlsSettings.From(variables), insecure);
    }

    /// <summary>Refuses a silo that would listen beyond this machine with plain connections; says what is so when it was told to.</summary>
    /// <param name="address">Where it listens.</param>
    /// <returns>What to say at its start, or null.</returns>
    /// <exception cref="ClusterException">Nobody said that it may.</exception>
    internal string? Admit(IPAddress address)
    {
        if (Tls is not null || IsLoopback(address)) return null;
        return Insecure
            ? $"anybody who reaches {address} can have stages executed here and read what is sent: connections are neither authenticated nor encrypted (Ssti__Insecure=true)"
            : throw new ClusterException($"a silo on {address} would be open to whoever reaches that address: {Cure}");
    }

    internal static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
