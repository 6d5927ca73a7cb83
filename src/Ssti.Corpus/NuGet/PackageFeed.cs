using NuGet.Common;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Protocol;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;

namespace Ssti.Corpus.NuGet;

/// <summary>
/// The user's own NuGet feeds, as <c>nuget.config</c> names them, by NuGet's own client: its global packages folder is looked at first, and what is fetched goes there,
/// checked as any restore checks it (hash, signature policy).
/// </summary>
/// <param name="root">Where to look for a <c>nuget.config</c>, upwards; null: the user's and the machine's only.</param>
/// <param name="log">Told where a package comes from.</param>
public sealed class PackageFeed(string? root, Action<string>? log = null)
{
    /// <summary>The folder of a package, unpacked.</summary>
    /// <exception cref="CorpusException">No feed has it, or none answers.</exception>
    public async Task<string> FetchAsync(PackageReference package, CancellationToken cancellation)
    {
        try
        {
            var settings = Settings.LoadDefaultSettings(root);
            var packages = SettingsUtility.GetGlobalPackagesFolder(settings);
            var identity = new PackageIdentity(package.Id, NuGetVersion.Parse(package.Version));
            if (GlobalPackagesFolderUtility.GetPackage(identity, packages) is { } kept)
            {
                using (kept) return Folder(packages, identity);
            }

            var sources = PackageSourceProvider.LoadPackageSources(settings).Where(source => source.IsEnabled).ToArray();
            if (sources.Length == 0) throw new CorpusException($"{package}: no NuGet feed is configured; 'dotnet nuget list source' lists them");
            using var cache = new SourceCacheContext();
            var troubles = new List<string>();
            foreach (var source in sources)
            {
                try
                {
                    if (await FetchAsync(source, identity, packages, settings, cache, cancellation).ConfigureAwait(false)) return Folder(packages, identity);
                    troubles.Add($"{source.Name} has no such version");
                }
                catch (FatalProtocolException e)
                {
                    troubles.Add($"{source.Name} does not answer ({e.GetBaseException().Message})");
                }
            }

            throw new CorpusException($"{package} cannot be had: {string.Join("; ", troubles)}. "
                + "Feeds are set up with 'dotnet nuget add source', and a package that was restored once is used without them");
        }
        catch (Exception e) when (e is NuGetConfigurationException or PackagingException or IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"{package}: {e.Message}", e);
        }
    }

    private async Task<bool> FetchAsync(
        PackageSource source, PackageIdentity identity, string packages, ISettings settings, SourceCacheContext cache, CancellationToken cancellation)
    {
        var repository = Repository.Factory.GetCoreV3(source);
        var download = await repository.GetResourceAsync<DownloadResource>(cancellation).ConfigureAwait(false);
        if (download is null) return false;
        log?.Invoke($"fetching {identity} from the feed {source.Name}");
        using var result = await download.GetDownloadResourceResultAsync(
            identity, new PackageDownloadContext(cache), packages, NullLogger.Instance, cancellation).ConfigureAwait(false);
        if (result.Status != DownloadResourceResultStatus.Available || result.PackageStream is not { } stream) return false;
        // A feed that is a folder hands over the package without unpacking it.
        if (GlobalPackagesFolderUtility.GetPackage(identity, packages) is { } kept)
        {
            kept.Dispose();
            return true;
        }

        using var added = await GlobalPackagesFolderUtility.AddPackageAsync(
            source.Source, identity, stream, packages, Guid.Empty,
            global::NuGet.Packaging.Signing.ClientPolicyContext.GetClientPolicy(settings, NullLogger.Instance), NullLogger.Instance, cancellation).ConfigureAwait(false);
        return true;
    }

    private static string Folder(string packages, PackageIdentity identity) => new VersionFolderPathResolver(packages).GetInstallPath(identity.Id, identity.Version);
}
