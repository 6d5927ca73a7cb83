using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Keys;

/// <summary>
/// How a source stands in a key: a local file or folder by its content, never by its path or times; a URI as it is written, which is with its revision
/// once <see cref="SourcePins"/> put that there.
/// </summary>
/// <remarks>
/// Of a file's name only the extensions stand beside the digest (<c>.jsonl.gz</c>), because readers choose the format by them. Content is hashed once a
/// process: time stamps are not asked, because they lie.
/// </remarks>
internal sealed class SourceDigests
{
    private readonly ConcurrentDictionary<string, Lazy<string>> _digests = new();

    /// <summary>The JSON of a source.</summary>
    /// <exception cref="StageException">It cannot be read.</exception>
    public JsonNode Json(SourcePath source)
    {
        if (source.LocalPath is not { } path) return JsonValue.Create(source.Text);
        var json = new JsonObject { ["sha256"] = _digests.GetOrAdd(path, p => new Lazy<string>(() => Hash(source.Text, p))).Value };
        if (Extensions(path) is { Length: > 0 } type) json["type"] = type;
        return json;
    }

    /// <summary>Hashes a source again, after it was used.</summary>
    /// <exception cref="StageException">It is not what it was when the key was made.</exception>
    public void RequireUnchanged(SourcePath source)
    {
        if (source.LocalPath is not { } path || !_digests.TryGetValue(path, out var before) || Hash(source.Text, path) == before.Value) return;
        // The next to ask gets what is there now.
        _digests.TryRemove(path, out _);
        throw new StageException($"the source '{source.Text}' changed while it was being read; nothing was kept: run again when it is at rest");
    }

    private static string Extensions(string path)
    {
        if (Directory.Exists(path)) return "";
        var last = Path.GetExtension(path).ToLowerInvariant();
        return last is ".gz" or ".zip" or ".zst" or ".bz2" ? Path.GetExtension(Path.GetFileNameWithoutExtension(path)).ToLowerInvariant() + last : last;
    }

    private static string Hash(string text, string path)
    {
        try
        {
            return Directory.Exists(path) ? FileHash.TreeOf(path).Digest.ToString() : FileHash.Of(path).Digest.ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StoreException or AggregateException)
        {
            var cause = e is AggregateException many ? many.InnerExceptions[0] : e;
            throw new StageException($"the source '{text}' cannot be read: {cause.Message}", e);
        }
    }
}
