using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Store.Files;

namespace Ssti.Engine.Keys;

/// <summary>A lock file is damaged, or a run that must keep to it cannot. Shown as it stands.</summary>
public sealed class LockException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The lock file of a pipeline, <c>table1.lock.json</c> beside <c>table1.yaml</c>: which revision each source without one stands for, so that two people get
/// the same rows. JSON and not YAML, so that <c>pipelines/*.yaml</c> names pipelines only.
/// </summary>
public sealed class SourceLock
{
    private const string Form = "ssti-lock";
    private const int Version = 1;
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private SourceLock(string path, IReadOnlyDictionary<string, string> revisions, bool exists) => (Path, Revisions, Exists) = (path, revisions, exists);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Whether there is one.</summary>
    public bool Exists { get; }

    /// <summary>Its revisions, by the sources' names.</summary>
    public IReadOnlyDictionary<string, string> Revisions { get; }

    /// <summary>The lock file of a pipeline file, whether there is one or not.</summary>
    public static string PathOf(string pipeline) => System.IO.Path.ChangeExtension(pipeline, null) + ".lock.json";

    /// <summary>Reads a pipeline's lock file; without one, a lock of nothing.</summary>
    /// <exception cref="LockException">There is one, and it cannot be read.</exception>
    public static SourceLock Read(string pipeline)
    {
        var path = PathOf(pipeline);
        try
        {
            if (SpecialFiles.Is(path)) throw new LockException($"the lock file {path} is a pipe or a device; remove it, and write one with 'ssti lock {pipeline}'");
            return new SourceLock(path, RevisionsOf(path, File.ReadAllText(path)), exists: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SourceLock(path, new Dictionary<string, string>(), exists: false);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new LockException(
                $"{path} is no lock file ({(e is JsonException json ? $"line {json.LineNumber + 1} is no JSON" : e.Message)}): "
                + $"if a merge left both sides in it, take one of them; or delete it and write it anew with 'ssti lock {pipeline}'", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LockException($"the lock file {path} cannot be read: {e.Message}", e);
        }
    }

    private static Dictionary<string, string> RevisionsOf(string path, string text)
    {
        if (string.IsNullOrWhiteSpace(text)) throw new FormatException("it is empty");
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new FormatException($"it is no mapping with '{Form}' and 'sources'");
        if (!root.TryGetProperty(Form, out var form)) throw new FormatException($"it has no '{Form}'");
        if (form.ValueKind != JsonValueKind.Number || !form.TryGetInt32(out var version)) throw new FormatException($"its '{Form}' is no whole number");
        if (version != Version)
        {
            throw new LockException($"{path} is of form {version}, and this program knows {Version}: "
                + "take the version of the program that wrote it, or delete the file and write it anew with 'ssti lock'");
        }

        if (!root.TryGetProperty("sources", out var sources) || sources.ValueKind != JsonValueKind.Object) throw new FormatException("it has no mapping 'sources'");
        var revisions = new Dictionary<string, string>();
        foreach (var source in sources.EnumerateObject())
        {
            if (source.Value.ValueKind != JsonValueKind.String || source.Value.GetString() is not { Length: > 0 } revision)
                throw new FormatException($"'{source.Name}' has no revision");
            if (!revisions.TryAdd(source.Name, revision)) throw new FormatException($"'{source.Name}' stands twice");
        }

        return revisions;
    }

    /// <summary>Writes a pipeline's lock file, whole or not at all.</summary>
    /// <exception cref="LockException">It cannot be written.</exception>
    public static SourceLock Write(string pipeline, IReadOnlyDictionary<string, string> revisions)
    {
        var path = PathOf(pipeline);
        var sources = new JsonObject(revisions.OrderBy(source => source.Key, StringComparer.Ordinal)
            .Select(source => KeyValuePair.Create(source.Key, (JsonNode?)source.Value)));
        var text = new JsonObject { [Form] = Version, ["sources"] = sources }.ToJsonString(Readable) + "\n";
        var aside = $"{path}.{Environment.ProcessId}.new";
        try
        {
            File.WriteAllText(aside, text);
            File.Move(aside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(aside);
            throw new LockException($"the lock file {path} cannot be written: {e.Message}", e);
        }

        return new SourceLock(path, new Dictionary<string, string>(revisions), exists: true);
    }
}
