using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Hub;

/// <summary>
/// The files of a repository on disk: <c>{kind}/{owner}/{name}/{commit}/{path}</c>, whole or absent; beside the commits, <c>refs.json</c>
/// (revision to commit, and when that was asked) and <c>{commit}.json</c> (the files of a commit).
/// </summary>
internal sealed class HubCache(string root, HubRepository repository)
{
    private readonly string _folder = Path.Combine(root, repository.KindFolder, repository.Id.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Where a file is, or will be.</summary>
    public string PathOf(string commit, string file) => Path.Combine(_folder, commit, file.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>The commit a revision meant when it was last asked for, or null.</summary>
    public KnownCommit? CommitOf(string revision)
    {
        try
        {
            return Read("refs.json")?[revision] is JsonObject known && (string?)known["commit"] is { } commit && HubRepository.Commit().IsMatch(commit)
                ? new KnownCommit(commit, known["at"]!.GetValue<DateTimeOffset>()) : null;
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException or NullReferenceException)
        {
            return null;
        }
    }

    /// <summary>The files of a commit, or null when it was never asked for.</summary>
    public IReadOnlyList<string>? Listing(string commit) => Read(commit + ".json")?["files"]?.AsArray().Select(file => (string)file!).ToArray();

    /// <summary>Keeps what the Hub said of a revision.</summary>
    public void Remember(string revision, string commit, IReadOnlyList<string> files, DateTimeOffset now)
    {
        using var held = Lock(Path.Combine(_folder, "refs.lock"), CancellationToken.None);
        Write(commit + ".json", new JsonObject { ["files"] = new JsonArray([.. files.Select(file => (JsonNode?)JsonValue.Create(file))]) });
        var refs = Read("refs.json") ?? [];
        refs[revision] = new JsonObject { ["commit"] = commit, ["at"] = now };
        Write("refs.json", refs);
    }

    /// <summary>
    /// Holds a lock of the kernel's on a file until disposed: another process waits, and one that dies lets go.
    /// </summary>
    public static FileStream Lock(string path, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                Thread.Sleep(50);
            }
            catch (Exception error) when (error is UnauthorizedAccessException or IOException)
            {
                throw new CorpusException($"cannot write to the cache: {error.Message} Set SSTI_CACHE to a folder that can be written to", error);
            }
        }
    }

    private JsonObject? Read(string name)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(Path.Combine(_folder, name))) as JsonObject;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            // Absent or damaged: the Hub is asked again.
            return null;
        }
    }

    private void Write(string name, JsonObject content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path + ".new", content.ToJsonString());
        File.Move(path + ".new", path, overwrite: true);
    }
}
