using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>The files behind a <see cref="SourcePath"/>, local or on the Hub.</summary>
internal sealed class HubSource : IDisposable
{
    private readonly HubClient? _client;

    private HubSource(SourceFolder folder, HubRepository? repository, HubClient? client)
    {
        (Folder, Repository, _client) = (folder, repository, client);
    }

    /// <summary>The files.</summary>
    public SourceFolder Folder { get; }

    /// <summary>The repository, or null for local files.</summary>
    public HubRepository? Repository { get; }

    /// <summary>What is wrong with a source's form, or null.</summary>
    public static string? Problem(SourcePath source, HubKind kind)
    {
        if (!source.IsUri) return null;
        try
        {
            HubRepository.Parse(source.Text, kind);
            return null;
        }
        catch (CorpusException error)
        {
            return error.Message;
        }
    }

    /// <summary>Opens a source; files of the Hub are fetched when asked for.</summary>
    /// <exception cref="CorpusException">It cannot be had.</exception>
    public static async Task<HubSource> OpenAsync(SourcePath source, HubKind kind, HubOptions? hub, StageContext context, CancellationToken cancellation)
    {
        if (source.LocalPath is { } path) return new HubSource(new LocalFolder(path), null, null);
        var repository = HubRepository.Parse(source.Text, kind);
        var client = new HubClient((hub ?? new HubOptions { CacheFolder = Path.Combine(context.ScratchFolder, "hub") }) with
        {
            Log = context.Log,
            Progress = (done, total, file) => context.Progress(new(done, total, "bytes", file)),
        });
        try
        {
            var snapshot = await client.OpenAsync(repository, cancellation);
            if (!repository.IsPinned) context.Log($"{repository} is at commit {snapshot.Commit}");
            if (snapshot.Doubt is { } doubt) context.Warn(doubt);
            return new HubSource(snapshot, repository, client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client?.Dispose();
}
