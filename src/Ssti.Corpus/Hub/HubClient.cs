using System.Globalization;
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

    /// <summary>What offline forbids, and what to do.</summary>
    internal const string Forbidden = "HF_HUB_OFFLINE forbids to ask the Hub: unset it once, or name a local copy";

    /// <summary>
    /// The commit that a repository's revision means: the one asked for a short while ago, else the Hub's answer; where the Hub cannot be reached, the last that
    /// is known here, from our cache or Hugging Face's.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="anew">Whether only the Hub's answer of now will do.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="CorpusException">Nobody knows; the message says what to do.</exception>
    public async Task<HubRevision> ResolveAsync(HubRepository repository, bool anew, CancellationToken cancellation)
    {
        if (repository.IsPinned) return new(repository.Revision, "the commit itself");
        var own = new HubCache(options.CacheFolder, repository).CommitOf(repository.Revision);
        var now = options.Clock.GetUtcNow();
        if (!anew && !options.Offline && own is { } recent && now >= recent.At && now - recent.At < options.MostAge)
            return new(recent.Commit, $"as the Hub said {Minutes(now - recent.At)} ago");
        // Of what two caches know, the newer.
        var others = HuggingFaceCache.Of(options, repository)?.CommitOf(repository.Revision);
        var last = own is { } a && others is { } b ? (a.At >= b.At ? a : b) : own ?? others;
        if (options.Offline)
        {
            if (last is { } known && !anew) return new(known.Commit, $"as of {Day(known.At)}: offline");
            throw new CorpusException($"what {repository} means now {(anew ? "is not to be had offline" : $"is not in {Caches(options)}")}, and {Forbidden}");
        }

        try
        {
            return new(await AskAsync(repository, anew || last is null ? int.MaxValue : 1, cancellation).ConfigureAwait(false), "as the Hub says now");
        }
        catch (CorpusException error) when (!anew && last is not null && error.InnerException is { } cause && HubTransport.IsTransient(cause))
        {
            options.Log?.Invoke($"{repository}: the Hub cannot be reached ({cause.Message}); what it was on {Day(last.Value.At)} is taken");
            return new(last.Value.Commit, $"as of {Day(last.Value.At)}: the Hub cannot be reached now");
        }
    }

    /// <summary>Opens a repository at the commit that its revision means (<see cref="ResolveAsync"/>).</summary>
    /// <exception cref="CorpusException">The repository cannot be had; the message says what to do.</exception>
    public async Task<HubSnapshot> OpenAsync(HubRepository repository, CancellationToken cancellation)
    {
        var commit = (await ResolveAsync(repository, anew: false, cancellation).ConfigureAwait(false)).Commit;
        var cache = new HubCache(options.CacheFolder, repository);
        if (cache.Listing(commit) is { } known) return new(repository, commit, known, options, _transport);
        var there = HuggingFaceCache.Of(options, repository)?.Files(commit) ?? [];
        if (options.Offline)
        {
            if (there.Count > 0) return Doubtful("HF_HUB_OFFLINE forbids to ask the Hub");
            throw new CorpusException($"{repository} is not in {Caches(options)}{(repository.IsPinned ? "" : $" (commit {commit})")}, and {Forbidden}");
        }

        try
        {
            await AskAsync(repository with { Revision = commit }, there.Count > 0 ? 1 : int.MaxValue, cancellation).ConfigureAwait(false);
            return new(repository, commit, cache.Listing(commit)!, options, _transport);
        }
        catch (CorpusException error) when (there.Count > 0 && error.InnerException is { } cause && HubTransport.IsTransient(cause))
        {
            return Doubtful($"the Hub cannot be reached: {cause.Message}");
        }

        HubSnapshot Doubtful(string why) => new(repository, commit, there, options, _transport)
        {
            Doubt = $"{repository} is read as Hugging Face's cache has it, {there.Count} {(there.Count == 1 ? "file" : "files")}; "
                + $"whether these are all of commit {commit[..12]} is not known ({why})",
        };
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _transport.Dispose();

    internal static string Caches(HubOptions options) =>
        options.HuggingFaceFolder is { } others ? $"the cache '{options.CacheFolder}' nor in Hugging Face's '{others}'" : $"the cache '{options.CacheFolder}'";

    // Asks for the commit and the files, and keeps both.
    private async Task<string> AskAsync(HubRepository repository, int retries, CancellationToken cancellation)
    {
        var address = $"api/{repository.KindFolder}/{repository.Id}/revision/{Uri.EscapeDataString(repository.Revision)}";
        var (commit, files) = await _transport.RetryAsync(repository.ToString(), () => AskAsync(repository, address, cancellation), null, cancellation, retries)
            .ConfigureAwait(false);
        if (repository.IsPinned && commit != repository.Revision)
            throw new CorpusException($"{repository}: {options.Endpoint} answers with commit {commit}: it does not answer as the Hub does; is HF_ENDPOINT right?");
        new HubCache(options.CacheFolder, repository).Remember(repository.Revision, commit, files, options.Clock.GetUtcNow());
        return commit;
    }

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
            (_, "GatedRepo") when options.Token is null => $"{what} is gated: ask for access at {page}, then {options.TokenOrigin}",
            (_, "GatedRepo") => $"{what} is gated, and the account of the token ({options.TokenOrigin}) has no access: ask for it at {page}",
            (_, "RevisionNotFound") => $"{repository.Id} has no revision '{repository.Revision}'; its revisions are listed at {page}/tree/main",
            (_, "EntryNotFound") => $"{what} does not exist at this revision: look at {page}/tree/{repository.Revision}",
            (HttpStatusCode.Unauthorized, _) when options.Token is null =>
                $"{what}: the Hub answers 401, so it does not exist, is private or gated. Check the name at {page}; if it is private, {options.TokenOrigin}",
            (HttpStatusCode.Unauthorized, _) =>
                $"{what}: the Hub answers 401 to the token of {options.TokenOrigin}: it is wrong or has expired (log in again with 'hf auth login'), "
                + $"or the repository does not exist ({page})",
            (HttpStatusCode.Forbidden, _) when options.Token is null =>
                $"{what}: the Hub answers 403 without a token: {options.TokenOrigin}, of an account that may read {page}",
            (HttpStatusCode.Forbidden, _) =>
                $"{what}: the Hub answers 403: the account needs access ({page}), and the token of {options.TokenOrigin} the right to read it "
                + "(a fine-grained token names its repositories)",
            (HttpStatusCode.NotFound, _) =>
                $"{what} does not exist at {page}: check the name and the revision{(repository.Kind == HubKind.Model ? "; data sets are read by 'dataset' stages" : "")}",
            (HttpStatusCode.ProxyAuthenticationRequired, _) => $"{what}: the proxy asks for a login: name it in HTTPS_PROXY, as http://user:password@proxy:port",
            var (status, _) =>
                $"{what}: {options.Endpoint} answers {(int)status} {response.ReasonPhrase}, which the Hub does not: is HF_ENDPOINT right, or does a proxy answer in its place?",
        });
    }

    private static string Minutes(TimeSpan time) => time.TotalMinutes < 1 ? "less than a minute" : $"{(int)time.TotalMinutes} min";

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

/// <summary>What a revision means.</summary>
/// <param name="Commit">The commit.</param>
/// <param name="Told">Who said so and when, for people.</param>
public sealed record HubRevision(string Commit, string Told);
