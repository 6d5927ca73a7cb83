using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ssti.Cluster.Security;

/// <summary>What one connection is made with.</summary>
/// <param name="Own">This side's certificate with its key, and those between it and the authority, as they are sent.</param>
/// <param name="Authority">The authorities that are believed.</param>
internal sealed record Credentials(SslStreamCertificateContext Own, X509Certificate2Collection Authority);

/// <summary>
/// The files of <see cref="TlsSettings"/>, looked at for every new connection: who renews them restarts nothing. Files in the middle of being replaced, a new
/// certificate beside an old key, leave what was read before in use.
/// </summary>
internal sealed class TlsFiles
{
    private readonly TlsSettings _settings;
    private readonly bool _isSilo;
    private readonly TimeProvider _time;
    private readonly ConnectionNotes _notes;
    private readonly Lock _lock = new();
    private byte[] _seen = [];
    private Credentials _credentials;

    /// <summary>Reads the files.</summary>
    /// <exception cref="ClusterException">One is missing or unusable, or the certificate is not one that others will take.</exception>
    public TlsFiles(TlsSettings settings, bool isSilo, ConnectionNotes notes, TimeProvider? time = null)
    {
        (_settings, _isSilo, _notes, _time) = (settings, isSilo, notes, time ?? TimeProvider.System);
        var (content, seen) = Read();
        (_credentials, _seen) = (Parse(content), seen);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(settings.Key) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
            notes.Tell($"the key {settings.Key} can be read by other users of this machine: chmod 600 {settings.Key}");
    }

    /// <summary>What the next connection is made with.</summary>
    public Credentials Current()
    {
        lock (_lock)
        {
            try
            {
                var (content, seen) = Read();
                if (seen.AsSpan().SequenceEqual(_seen)) return _credentials;
                // Whatever comes of it, the same content is not tried again.
                _seen = seen;
                _credentials = Parse(content);
                _notes.Tell($"renewed: connections are made with {PeerCheck.Show(_credentials.Own.TargetCertificate)} from now on", isRefusal: false);
            }
            catch (ClusterException e)
            {
                _notes.Tell($"the new files of TLS cannot be used, and those before stay in use: {e.Message}", isRefusal: false);
            }

            return _credentials;
        }
    }

    private (string[] Content, byte[] Seen) Read()
    {
        var content = new[] { Text(_settings.Certificate, "Certificate"), Text(_settings.Key, "Key"), Text(_settings.Authority, "Authority") };
        return (content, SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\0', content))));
    }

    private static string Text(string path, string name)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"Ssti__Tls__{name}: {path} cannot be read ({e.Message.TrimEnd('.')}); 'ssti certificates <folder>' makes such files", e);
        }
    }

    private Credentials Parse(string[] content)
    {
        var authority = Collection(content[2], _settings.Authority, "Authority");
        var chain = Collection(content[0], _settings.Certificate, "Certificate");
        if (content[1].Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new ClusterException($"Ssti__Tls__Key: {_settings.Key} is encrypted, and nobody is there to type its password; decrypt it (openssl pkey -in … -out …)");
        X509Certificate2 own;
        try
        {
            own = X509Certificate2.CreateFromPem(content[0], content[1]);
            // Windows makes connections only with keys that went through a container.
            if (OperatingSystem.IsWindows()) own = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pfx), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ClusterException($"Ssti__Tls__Key: {_settings.Key} is not the key of {_settings.Certificate} ({e.Message.TrimEnd('.')})", e);
        }

        // What others would refuse is told here, where it can be put right.
        chain.RemoveAt(0);
        foreach (var usage in _isSilo ? [PeerCheck.Server, PeerCheck.Client] : (string[])[PeerCheck.Client])
            if (PeerCheck.Problem(own, chain, authority, usage, _isSilo && _settings.Name is { } name ? [name] : [], _time) is { } problem)
                throw new ClusterException($"Ssti__Tls__Certificate: {_settings.Certificate} is of no use here: {problem}");
        return new Credentials(SslStreamCertificateContext.Create(own, chain, offline: true), authority);
    }

    private static X509Certificate2Collection Collection(string pem, string path, string name)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new ClusterException($"Ssti__Tls__{name}: {path} is damaged ({e.Message.TrimEnd('.')})", e);
        }

        return found.Count > 0 ? found : throw new ClusterException($"Ssti__Tls__{name}: {path} holds no certificate (PEM, -----BEGIN CERTIFICATE-----)");
    }
}
