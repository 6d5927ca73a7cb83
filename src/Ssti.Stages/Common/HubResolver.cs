using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Puts commits to <c>hf://</c> sources.</summary>
/// <param name="options">How to reach the Hub.</param>
public sealed class HubResolver(HubOptions options) : ISourceResolver
{
    /// <inheritdoc/>
    public RemoteSource? Read(IStageKind kind, string uri)
    {
        if (!uri.StartsWith(HubRepository.Scheme, StringComparison.Ordinal)) return null;
        var repository = RepositoryOf(kind, uri);
        return new RemoteSource(repository.FullName, HubRepository.Scheme + repository.Id, repository.IsPinned ? repository.Revision : null);
    }

    /// <inheritdoc/>
    public async Task<ResolvedSource> ResolveAsync(IStageKind kind, string uri, bool anew, CancellationToken cancellation)
    {
        var repository = RepositoryOf(kind, uri);
        try
        {
            using var client = new HubClient(options);
            var revision = await client.ResolveAsync(repository, anew, cancellation).ConfigureAwait(false);
            return new ResolvedSource(revision.Commit, revision.Told);
        }
        catch (CorpusException error)
        {
            throw new StageException(
                $"{error.Message}\n  the key needs the commit of {repository.FullName}: write it ({HubRepository.Scheme}{repository.Id}@<commit>), "
                + "or bring the lock file that 'ssti lock' writes where there is a network",
                error);
        }
    }

    // One name may be both. Only the kind that reads rows reads data sets; all others read models.
    private static HubRepository RepositoryOf(IStageKind kind, string uri)
    {
        try
        {
            return HubRepository.Parse(uri, kind.Name == "dataset" ? HubKind.Dataset : HubKind.Model);
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }
}
