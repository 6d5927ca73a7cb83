using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Hub;

/// <summary>
/// Reads repositories of the Hugging Face Hub over its HTTP protocol: <c>/api/{kind}/{id}/revision/{revision}</c> for the commit and the
/// files, <c>/{id}/resolve/{commit}/{path}</c> for their content.
/// </summary>
public sealed class HubClient(HubOptions options) : IDisposable
{
    private readonly HubTransport _transport = new(options);

    /// <summary>Resolves a revision to its commit and files. A commit seen before, and everything offline, comes from the cache.</summary>
    /// <exception cref="CorpusException">The repository cannot be had; the message says what to do.</exception>
    public async Task<HubSnapshot> OpenAsync(HubRepository repository, CancellationToken cancellation)
    {
        var cache = new HubCache(options.CacheFolder, repository);
        if (repository.IsPinned && cache.Listing(repository.Revision) is { } known) return Snapshot(repository.Revision, known);
        if (options.Offline)
        {
            var cached = repository.IsPinned ? repository.Revision : cache.CommitOf(repository.Revision);
            if (cached is not null && cache.Listing(cached) is { } files) return Snapshot(cached, files);
            throw new CorpusException($"{repository} is not in the cache '{options.CacheFolder}', and HF_HUB_OFFLINE forbids to fetch it: unset it once, or name a local copy");
        }

        var address = $"api/{repository.KindFolder}/{repository.Id}/revision/{Uri.EscapeDataString(repository.Revision)}";
        var (commit, names) = await _transport.RetryAsync(repository.ToString(), () => AskAsync(repository, address, cancellation), null, cancellation).ConfigureAwait(false);
        cache.Remember(repository.Revision, commit, names);
        return Snapshot(commit, names);

        HubSnapshot Snapshot(string commit, IReadOnlyList<string> files) => new(repository, commit, files, cache, options, _transport);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _transport.Dispose();

    private async Task<(string Commit, IReadOnlyList<string> Files)> AskAsync(HubRepository repository, string address, CancellationToken cancellation)
    {
        using var response = await _transport.SendAsync(HttpMethod.Get, HubSnapshot.At(options.Endpoint, address), null, null, cancellation).ConfigureAwait(false);
        _transport.ThrowIfTransient(response);
        if (response.StatusCode != HttpStatusCode.OK) throw Refused(response, repository, null, options);
        var text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        try
        {
            var answer = JsonNode.Parse(text)!;
            var commit = (string?)answer["sha"];
            var files = answer["siblings"]!.AsArray().Select(file => (string)file!["rfilename"]!).Order(StringComparer.Ordinal).ToArray();
            if (commit is null || !HubRepository.Commit().IsMatch(commit)) throw new FormatException($"'{commit}' is no commit");
            if (Array.Find(files, IsUnsafe) is { } bad) throw new FormatException($"'{bad}' is no path within a repository");
            return (commit, files);
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or NullReferenceException)
        {
            throw new CorpusException($"{options.Endpoint} does not answer as the Hub does ({error.Message}): is HF_ENDPOINT right?", error);
        }
    }

    private static bool IsUnsafe(string path) => Path.IsPathRooted(path) || path.Contains('\\') || path.Split('/').Any(part => part is "" or "." or "..");

    /// <summary>What a refusal means and what to do about it.</summary>
    internal static CorpusException Refused(HttpResponseMessage response, HubRepository repository, string? file, HubOptions options)
    {
        var page = $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{(repository.Kind == HubKind.Dataset ? "datasets/" : "")}{repository.Id}";
        var code = response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.First() : "";
        var what = file is null ? repository.ToString() : $"{repository} ({file})";
        return new CorpusException((response.StatusCode, code) switch
        {
            (_, "GatedRepo") => $"{what} is gated: ask for access at {page}, then set HF_TOKEN to a token of that account",
            (_, "RevisionNotFound") => $"{repository.Id} has no revision '{repository.Revision}'; its revisions are listed at {page}/tree/main",
            (_, "EntryNotFound") => $"{what} does not exist at this revision",
            (HttpStatusCode.Unauthorized, _) when options.Token is null =>
                $"{what}: the Hub answers 401, so it does not exist, is private or gated. Check the name at {page}; if it is private, set HF_TOKEN",
            (HttpStatusCode.Unauthorized, _) => $"{what}: the Hub answers 401 to the token in HF_TOKEN: it is wrong or has expired, or the repository does not exist ({page})",
            (HttpStatusCode.Forbidden, _) => $"{what}: the Hub answers 403: the account needs access ({page}) and the token in HF_TOKEN the right to read it",
            (HttpStatusCode.NotFound, _) => $"{what} does not exist at {page}: check the name and the revision",
            var (status, _) => $"{what}: the Hub answers {(int)status} {response.ReasonPhrase}",
        });
    }
}
