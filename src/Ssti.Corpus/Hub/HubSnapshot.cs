using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Hub;

/// <summary>The files of a repository at a commit. A file is downloaded when it is first asked for, checked, and then kept.</summary>
public sealed class HubSnapshot : SourceFolder
{
    private readonly HubRepository _repository;
    private readonly HubCache _cache;
    private readonly HuggingFaceCache? _others;
    private readonly HubOptions _options;
    private readonly HubTransport _transport;

    internal HubSnapshot(HubRepository repository, string commit, IReadOnlyList<string> files, HubOptions options, HubTransport transport)
    {
        (_repository, Commit, Files, _options, _transport) = (repository, commit, files, options, transport);
        (_cache, _others) = (new HubCache(options.CacheFolder, repository), HuggingFaceCache.Of(options, repository));
    }

    /// <summary>The commit the revision means.</summary>
    public string Commit { get; }

    /// <summary>
    /// Why <see cref="Files"/> may not be all of the commit's, or null: they are those in Hugging Face's cache, which keeps what somebody once asked for, and
    /// the Hub could not be asked for the rest.
    /// </summary>
    public string? Doubt { get; internal init; }

    /// <inheritdoc/>
    public override string Title => _repository.ToString();

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files { get; }

    /// <inheritdoc/>
    public override JsonObject Describe() => new() { ["source"] = HubRepository.Scheme + _repository.Id, ["revision"] = Commit };

    /// <inheritdoc/>
    public override async Task<string> FetchAsync(string file, CancellationToken cancellation)
    {
        var path = _cache.PathOf(Commit, file);
        if (File.Exists(path)) return path;
        if (_others?.PathOf(Commit, file, _options.Log) is { } there) return there;
        if (_options.Offline) throw new CorpusException($"{_repository} ({file}) is not in {HubClient.Caches(_options)}, and {HubClient.Forbidden}");
        using var held = await Task.Run(() => HubCache.Lock(path + ".lock", cancellation), cancellation).ConfigureAwait(false);
        if (File.Exists(path)) return path;
        await DownloadAsync(file, path, cancellation).ConfigureAwait(false);
        return path;
    }

    internal static Uri At(Uri endpoint, string relative) => new(endpoint.AbsoluteUri.TrimEnd('/') + "/" + relative);

    private async Task DownloadAsync(string file, string path, CancellationToken cancellation)
    {
        var what = $"{_repository} ({file})";
        var escaped = string.Join('/', file.Split('/').Select(Uri.EscapeDataString));
        var address = At(_options.Endpoint, $"{(_repository.Kind == HubKind.Dataset ? "datasets/" : "")}{_repository.Id}/resolve/{Commit}/{escaped}");
        var partial = path + ".part";
        for (var attempt = 1; ; attempt++)
        {
            var head = await _transport.RetryAsync(what, () => HeadAsync(file, address, cancellation), null, cancellation).ConfigureAwait(false);
            // The bytes in the partial file are those of the tag in its name's companion, or they are of no use.
            if (!File.Exists(partial + ".etag") || File.ReadAllText(partial + ".etag") != head.ETag)
            {
                File.Delete(partial);
                File.WriteAllText(partial + ".etag", head.ETag);
            }

            await _transport.RetryAsync(what, () => AppendAsync(file, address, partial, head, cancellation), () => Length(partial), cancellation).ConfigureAwait(false);
            var found = Length(partial);
            var problem = head.Size is { } size && size != found ? $"has {found} bytes, not {size}" : ContentTag.Problem(partial, head.ETag);
            if (problem is null) break;
            File.Delete(partial);
            if (attempt == 2) throw new CorpusException($"{what}: what arrived {problem}, twice. Something between here and the Hub changes files (a proxy, a mirror?)");
            _options.Log?.Invoke($"{what}: what arrived {problem}; fetching it again");
        }

        File.Move(partial, path);
        File.Delete(partial + ".etag");
    }

    /// <summary>What the Hub says of a file: its ETag is a <see cref="ContentTag"/>.</summary>
    private sealed record Head(string ETag, long? Size);

    private async Task<Head> HeadAsync(string file, Uri address, CancellationToken cancellation)
    {
        string? linkedTag = null, commit = null;
        long? linkedSize = null;
        using var response = await _transport.SendAsync(HttpMethod.Head, address, null, hop =>
        {
            commit ??= Value(hop, "X-Repo-Commit");
            linkedTag ??= Value(hop, "X-Linked-Etag");
            linkedSize ??= long.TryParse(Value(hop, "X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null;
            // The redirect to the CDN says all there is to know.
            return linkedTag is not null;
        }, cancellation).ConfigureAwait(false);
        _transport.ThrowIfTransient(response);
        if ((int)response.StatusCode >= 400) throw HubClient.Refused(response, _repository, file, _options);
        if (commit is not null && commit != Commit) throw new CorpusException($"{_repository} ({file}): the Hub answers with commit {commit}, not {Commit}: is HF_ENDPOINT right?");
        var tag = (linkedTag ?? Value(response, "ETag"))?.Replace("W/", "").Trim('"');
        if (string.IsNullOrEmpty(tag)) throw new CorpusException($"{_repository} ({file}): the server sends no ETag, so it is not the Hub: is HF_ENDPOINT right?");
        return new Head(tag, linkedSize ?? (linkedTag is null ? response.Content.Headers.ContentLength : null));
    }

    private async Task<bool> AppendAsync(string file, Uri address, string partial, Head head, CancellationToken cancellation)
    {
        var have = Length(partial);
        if (have > 0 && have == head.Size) return true;
        if (have > 0) _options.Log?.Invoke($"{_repository} ({file}): going on from byte {have}");
        using var response = await _transport.SendAsync(HttpMethod.Get, address, request =>
        {
            if (have > 0) request.Headers.Range = new RangeHeaderValue(have, null);
        }, null, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            File.Delete(partial);
            throw new TransientException("the server has not the rest of what it sent before");
        }

        _transport.ThrowIfTransient(response);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent)) throw HubClient.Refused(response, _repository, file, _options);
        var from = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;
        if (from != 0 && from != have)
        {
            File.Delete(partial);
            throw new TransientException($"the server sent bytes from {from} instead of {have}");
        }

        var expected = response.Content.Headers.ContentLength is { } length ? from + length : head.Size;
        using var output = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        output.SetLength(from);
        output.Position = from;
        using var input = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[1 << 17];
        int read;
        while ((read = await _transport.ReadAsync(input, buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            await output.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            _options.Progress?.Invoke(output.Position, expected, file);
        }

        if (expected is { } all && output.Position < all) throw new TransientException($"the connection ended at byte {output.Position} of {all}");
        return true;
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static string? Value(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? values.First() : null;
}
