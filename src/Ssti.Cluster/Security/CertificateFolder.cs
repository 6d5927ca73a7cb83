using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ssti.Cluster.Security;

/// <summary>
/// An authority of one's own in a folder, and the certificates it signs: <c>authority.pem</c> and <c>authority.key</c>, and for each name a <c>.pem</c> with a
/// <c>.key</c>. For people who have no authority; those who have one need none of this.
/// </summary>
public sealed class CertificateFolder
{
    /// <summary>How long an authority is good.</summary>
    public static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3 * 365);

    private const string Authority = "authority";

    // For clocks that go differently.
    private static readonly TimeSpan Slack = TimeSpan.FromHours(1);
    private readonly string _folder;
    private readonly TimeProvider _time;

    /// <summary>Opens a folder; nothing is written yet.</summary>
    public CertificateFolder(string folder, TimeProvider? time = null) => (_folder, _time) = (Path.GetFullPath(folder), time ?? TimeProvider.System);

    /// <summary>The authority's certificate.</summary>
    public string AuthorityFile => PemOf(Authority);

    /// <summary>The certificate of a name.</summary>
    public string PemOf(string name) => Path.Combine(_folder, $"{name}.pem");

    /// <summary>The private key of a name.</summary>
    public string KeyOf(string name) => Path.Combine(_folder, $"{name}.key");

    /// <summary>Makes the authority where there is none.</summary>
    /// <param name="anew">A new one although there is one: it signs from now on, and <c>authority.pem</c> holds the old ones too, until somebody takes them out.</param>
    /// <returns>When it expires, and whether it was made now.</returns>
    /// <exception cref="ClusterException">The folder holds half of one, or cannot be written.</exception>
    public (DateTimeOffset Until, bool IsNew) Found(bool anew = false) => Guarded(() =>
    {
        var (isThere, hasKey) = (File.Exists(AuthorityFile), File.Exists(KeyOf(Authority)));
        if (isThere != hasKey)
            throw new ClusterException($"{_folder} has {(isThere ? "authority.pem and not its key authority.key" : "authority.key and not its certificate authority.pem")}: "
                + "without both nothing can be signed; put the missing file back, or name an empty folder");
        if (isThere && !anew)
        {
            using var there = Signer();
            return (there.NotAfter.ToUniversalTime(), false);
        }

        MakeFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = _time.GetUtcNow();
        // Two authorities of one folder must not have one name: then nobody could say which it was.
        var request = new CertificateRequest($"CN=ssti authority {now:yyyy-MM-dd HHmmss}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now - Slack, now + AuthorityLife);
        var before = isThere ? File.ReadAllText(AuthorityFile).TrimEnd() + "\n" : "";
        Write(KeyOf(Authority), key.ExportPkcs8PrivateKeyPem(), isSecret: true);
        Write(AuthorityFile, $"{certificate.ExportCertificatePem()}\n{before}", isSecret: false);
        return (certificate.NotAfter.ToUniversalTime(), true);
    });

    /// <summary>Signs a new certificate with a new key, in the place of what was there: the key first, so that a reader in between finds a pair that does not fit.</summary>
    /// <param name="file">The name of its files.</param>
    /// <param name="names">The names it has; IP addresses are told by their form.</param>
    /// <param name="isSilo">Whether it may be connected to, too.</param>
    /// <param name="life">How long it is good; never longer than the authority.</param>
    /// <returns>When it expires.</returns>
    /// <exception cref="ClusterException">The authority cannot sign, or the folder cannot be written.</exception>
    public DateTimeOffset Sign(string file, IReadOnlyList<string> names, bool isSilo, TimeSpan life) => Guarded(() =>
    {
        using var authority = Signer();
        var now = _time.GetUtcNow();
        if (authority.NotAfter.ToUniversalTime() < now)
            throw new ClusterException($"the authority in {_folder} expired on {authority.NotAfter.ToUniversalTime():u}; make another with --new-authority");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var usages = new OidCollection { new(PeerCheck.Client) };
        if (isSilo) usages.Add(new Oid(PeerCheck.Server));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, true));
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var until = new[] { now + life, new DateTimeOffset(authority.NotAfter.ToUniversalTime(), TimeSpan.Zero) }.Min();
        var from = now - Slack;
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var certificate = request.Create(authority, from, until, serial);
        Write(KeyOf(file), key.ExportPkcs8PrivateKeyPem(), isSecret: true);
        Write(PemOf(file), certificate.ExportCertificatePem() + "\n", isSecret: false);
        return until;
    });

    private X509Certificate2 Signer()
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(AuthorityFile, KeyOf(Authority));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ClusterException($"authority.key in {_folder} is not the key of the first certificate in authority.pem ({e.Message.TrimEnd('.')})", e);
        }
    }

    private void MakeFolder()
    {
        if (Directory.Exists(_folder)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
        else Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void Write(string path, string text, bool isSecret)
    {
        var aside = $"{path}.{Guid.NewGuid():n}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        // From the first byte: a key that is locked up later has been open.
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (isSecret ? 0 : UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        try
        {
            using (var file = new StreamWriter(aside, new System.Text.UTF8Encoding(false), options)) file.Write(text);
            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"{_folder} cannot be used for certificates: {e.Message}", e);
        }
    }
}
