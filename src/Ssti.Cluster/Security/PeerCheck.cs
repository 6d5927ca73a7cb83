using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ssti.Cluster.Security;

/// <summary>Whether the certificate of somebody who connects will do, and if not, which of all that may be wrong it is.</summary>
internal static class PeerCheck
{
    /// <summary>What a silo's certificate must be good for (extended key usage): being connected to.</summary>
    public const string Server = "1.3.6.1.5.5.7.3.1";

    /// <summary>What everybody's certificate must be good for: connecting.</summary>
    public const string Client = "1.3.6.1.5.5.7.3.2";

    private const int LongestName = 100;
    private const X509ChainStatusFlags Foreign = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;

    /// <summary>What is wrong, as the end of "refused, since …"; null when nothing is.</summary>
    /// <param name="certificate">The certificate, or null where none was shown.</param>
    /// <param name="sent">Certificates that came along, between it and the authority.</param>
    /// <param name="authority">Who is believed. The machine's own authorities are not.</param>
    /// <param name="usage">What it must be good for.</param>
    /// <param name="names">Of these it must have one; none for any.</param>
    /// <param name="time">The clock.</param>
    public static string? Problem(
        X509Certificate2? certificate, X509Certificate2Collection sent, X509Certificate2Collection authority, string usage, IReadOnlyList<string> names, TimeProvider time)
    {
        if (certificate is null) return "it showed no certificate";
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(authority);
        policy.ExtraStore.AddRange(sent);
        // Lists of revoked certificates would have to be fetched from addresses that a stranger writes into a certificate.
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = time.GetUtcNow().LocalDateTime;
        policy.ApplicationPolicy.Add(new Oid(usage));
        var problem = chain.Build(certificate) ? null : Told(chain, certificate, authority, usage, time.GetUtcNow());
        foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        if (problem is not null || names.Count == 0) return problem;
        return names.Any(name => certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: false)) ? null
            : $"its certificate {Show(certificate)} has the wrong name: {Names(certificate)}, and not {string.Join(" or ", names)}";
    }

    /// <summary>A certificate for messages. Its text is somebody else's, and must not write lines of its own into a log.</summary>
    public static string Show(X509Certificate2 certificate) => $"'{Plain(certificate.Subject)}' (serial {certificate.SerialNumber})";

    private static string Told(X509Chain chain, X509Certificate2 certificate, X509Certificate2Collection authority, string usage, DateTimeOffset now)
    {
        var status = chain.ChainElements.SelectMany(element => element.ChainElementStatus).Concat(chain.ChainStatus).ToList();
        var flags = status.Aggregate(X509ChainStatusFlags.NoError, (sum, one) => sum | one.Status);
        var shown = Show(certificate);
        if ((flags & Foreign) != 0)
            return $"its certificate {shown} is of another authority: '{Plain(certificate.Issuer)}' signed it, and "
                + $"{string.Join(", ", authority.Select(one => $"'{Plain(one.Subject)}'"))} did not";
        if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            return certificate.NotAfter < now.LocalDateTime ? $"its certificate {shown} expired on {certificate.NotAfter.ToUniversalTime():u}"
                : certificate.NotBefore > now.LocalDateTime ? $"its certificate {shown} is good from {certificate.NotBefore.ToUniversalTime():u} only; do the clocks agree?"
                : $"the authority of its certificate {shown} has expired";
        }

        if (flags.HasFlag(X509ChainStatusFlags.NotValidForUsage))
            return $"its certificate {shown} is not one of a "
                + $"{(usage == Server ? "silo: it may connect, and not be connected to" : "submitter or silo: it may not connect")} (extended key usage)";
        return $"its certificate {shown} is not valid: {string.Join("; ", status.Select(one => one.StatusInformation.Trim()).Distinct())}";
    }

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(address => address.ToString()))).Take(5);
        return string.Join(", ", names.Select(Plain)) is { Length: > 0 } all ? all : "it has none";
    }

    private static string Plain(string text)
    {
        var plain = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return plain.Length <= LongestName ? plain : plain[..LongestName] + "…";
    }
}
