namespace Ssti.Corpus.Hub;

/// <summary>
/// A repository in Hugging Face's own cache, as <c>hf download</c> and the Python libraries leave it: <c>models--owner--name/</c> with <c>refs/{revision}</c>
/// (a commit), <c>snapshots/{commit}/{path}</c> (links) and <c>blobs/</c> (content, named by its tag). It is only ever read.
/// </summary>
internal sealed class HuggingFaceCache
{
    private readonly string _folder;

    private HuggingFaceCache(string folder) => _folder = folder;

    /// <summary>The repository in the cache that the options name; null when there is no such folder.</summary>
    public static HuggingFaceCache? Of(HubOptions options, HubRepository repository)
    {
        if (options.HuggingFaceFolder is not { } root) return null;
        var folder = Path.Combine(root, $"{repository.KindFolder}--{repository.Id.Replace("/", "--")}");
        return Directory.Exists(folder) ? new HuggingFaceCache(folder) : null;
    }

    /// <summary>The commit that a revision meant when somebody last asked, and when that was; null when nobody did.</summary>
    public KnownCommit? CommitOf(string revision)
    {
        try
        {
            var path = Path.Combine(_folder, "refs", revision);
            var commit = File.ReadAllText(path).Trim();
            return HubRepository.Commit().IsMatch(commit) ? new KnownCommit(commit, File.GetLastWriteTimeUtc(path)) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The files of a commit that are here, in ordinal order; empty when none is.</summary>
    public IReadOnlyList<string> Files(string commit)
    {
        var folder = Path.Combine(_folder, "snapshots", commit);
        if (!Directory.Exists(folder)) return [];
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        return [.. Directory.EnumerateFiles(folder, "*", everything).Where(IsHere)
            .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal)];
    }

    /// <summary>A file of a commit, its content checked against the name of its blob; null when it is not here, or not what it should be.</summary>
    public string? PathOf(string commit, string file, Action<string>? log)
    {
        var path = Path.Combine(_folder, "snapshots", commit, file.Replace('/', Path.DirectorySeparatorChar));
        try
        {
            if (!IsHere(path)) return null;
            var blob = File.ResolveLinkTarget(path, returnFinalTarget: true);
            if (blob is not null && ContentTag.Problem(path, blob.Name) is { } problem)
            {
                log?.Invoke($"{path} {problem}: it is damaged, and not used");
                return null;
            }

            log?.Invoke($"{file} is taken from Hugging Face's cache: {path}");
            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log?.Invoke($"{path} cannot be read, and is not used: {error.Message}");
            return null;
        }
    }

    // A link whose blob is gone exists, to File.Exists.
    private static bool IsHere(string path) => File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is not { Exists: false };
}

/// <summary>What a revision meant at a time.</summary>
/// <param name="Commit">The commit.</param>
/// <param name="At">When it was asked for.</param>
internal readonly record struct KnownCommit(string Commit, DateTimeOffset At);
