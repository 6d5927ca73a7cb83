using System.Net.NetworkInformation;
using System.Security.Cryptography.X509Certificates;

namespace Ssti.AppHost;

/// <summary>
/// Where the dashboard listens. Aspire takes it from variables that a launch profile sets, and ends in a trace where they say https and there is no certificate,
/// or where they say nothing. So they are looked at before Aspire sees them.
/// </summary>
internal static class DashboardAddresses
{
    // What marks the certificate of 'dotnet dev-certs https'.
    private const string DevelopmentCertificate = "1.3.6.1.4.1.311.84.1.1";

    private static readonly (string Variable, string Address)[] Plain =
    [
        ("ASPNETCORE_URLS", "http://localhost:15180"),
        ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "http://localhost:19180"),
        ("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "http://localhost:20180"),
    ];

    /// <summary>Makes what the environment says possible on this machine.</summary>
    /// <returns>One line that says what was changed, or null.</returns>
    public static string? Settle()
    {
        var asked = Plain.Select(one => Environment.GetEnvironmentVariable(one.Variable)).ToList();
        var secure = asked.Any(address => address?.Contains("https:", StringComparison.OrdinalIgnoreCase) == true);
        if (secure && HasCertificate()) return null;
        if (!secure && asked.All(address => !string.IsNullOrEmpty(address)) && Free(asked!)) return null;
        var taken = !Free(Plain.Select(one => one.Address));
        foreach (var (variable, address) in Plain)
            Environment.SetEnvironmentVariable(variable, taken ? $"http://localhost:{Surroundings.FreePort()}" : address);
        Environment.SetEnvironmentVariable("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "true");
        return secure ? "there is no development certificate: the dashboard speaks http ('dotnet dev-certs https --trust' makes one)"
            : taken ? "port 15180 is taken, by another AppHost perhaps: the dashboard has a free one"
            : null;
    }

    private static bool Free(IEnumerable<string> addresses)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(endpoint => endpoint.Port).ToHashSet();
        return !addresses.SelectMany(address => address.Split(';')).Any(address => Uri.TryCreate(address, UriKind.Absolute, out var uri) && taken.Contains(uri.Port));
    }

    private static bool HasCertificate()
    {
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
        try
        {
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return false; // nobody has stored any yet
        }

        return store.Certificates.Any(certificate => certificate.HasPrivateKey
            && certificate.NotBefore <= DateTime.Now && DateTime.Now < certificate.NotAfter
            && certificate.Extensions.Any(extension => extension.Oid?.Value == DevelopmentCertificate));
    }
}
