using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Rewriting;

/// <summary>
/// A version of a package of the npm registry, such as a dictionary. A version is never published twice, and its content is checked against the registry's SHA-512.
/// </summary>
/// <param name="Name">Such as <c>dictionary-en</c>.</param>
/// <param name="Version">Such as <c>4.0.0</c>.</param>
public sealed record NpmPackage(string Name, string Version)
{
    /// <summary>What such a URI begins with.</summary>
    public const string Scheme = "npm://";

    /// <summary>The registry where the environment names no other (<c>npm_config_registry</c>).</summary>
    public const string Registry = "https://registry.npmjs.org";

    private const long Largest = 64 << 20;

    /// <summary>Reads <c>npm://name/version</c>; null for anything else.</summary>
    public static NpmPackage? Parse(string uri) => uri.StartsWith(Scheme, StringComparison.Ordinal)
        && uri[Scheme.Length..].Split('/') is [{ Length: > 0 } name, { Length: > 0 } version]
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && version.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') ? new(name, version) : null;

    /// <summary>Puts the package's files into a folder.</summary>
    /// <exception cref="CorpusException">The registry does not answer, has no such version, or gives other bytes than it says.</exception>
    public async Task FetchAsync(string registry, string folder, CancellationToken cancellation)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(2), MaxResponseContentBufferSize = Largest };
        try
        {
            var about = JsonNode.Parse(await client.GetStringAsync($"{registry.TrimEnd('/')}/{Name}/{Version}", cancellation))?["dist"];
            if ((string?)about?["tarball"] is not { } address || (string?)about["integrity"] is not { } integrity || !integrity.StartsWith("sha512-", StringComparison.Ordinal))
                throw new CorpusException($"{this}: the registry says neither where it is nor its SHA-512");
            var bytes = await client.GetByteArrayAsync(address, cancellation);
            if (Convert.ToBase64String(SHA512.HashData(bytes)) != integrity["sha512-".Length..])
                throw new CorpusException($"{this}: what came has another SHA-512 than the registry says; try again, and mistrust what lies between");
            Directory.CreateDirectory(folder);
            await using var archive = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            await TarFile.ExtractToDirectoryAsync(archive, folder, overwriteFiles: true, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested
            && error is HttpRequestException or IOException or InvalidDataException or JsonException or TaskCanceledException)
        {
            throw new CorpusException($"{this} cannot be had from the npm registry: {error.Message}. "
                + $"Another registry is named by npm_config_registry; a local folder with the files does, too", error);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}{Name}/{Version}";
}
