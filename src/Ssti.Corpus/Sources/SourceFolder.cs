namespace Ssti.Corpus.Sources;

/// <summary>Where the files of a source lie: a local folder, or a repository of the Hub.</summary>
public abstract class SourceFolder
{
    /// <summary>What to call it in messages.</summary>
    public abstract string Title { get; }

    /// <summary>What the provenance says of it: never a local path.</summary>
    public abstract System.Text.Json.Nodes.JsonObject Describe();

    /// <summary>Its files, relative, with '/'.</summary>
    public abstract IReadOnlyList<string> Files { get; }

    /// <summary>Whether it is a single file, named by the user: then its name says nothing of what is in it but the format.</summary>
    public virtual bool IsSingleFile => false;

    /// <summary>What the provenance calls a file: its relative name, unless the user's own naming would leak into the artifact.</summary>
    public virtual string DescribeFile(string file) => file;

    /// <summary>The local path of a file, downloaded when need be.</summary>
    /// <exception cref="CorpusException">It cannot be had.</exception>
    public abstract Task<string> FetchAsync(string file, CancellationToken cancellation);
}

/// <summary>A local folder, or a single file as a folder of one.</summary>
public sealed class LocalFolder : SourceFolder
{
    private readonly string _root;
    private readonly bool _single;

    /// <summary>Lists a local folder or file.</summary>
    /// <exception cref="CorpusException">It does not exist.</exception>
    public LocalFolder(string path)
    {
        Title = path;
        if (File.Exists(path))
        {
            _root = Path.GetDirectoryName(Path.GetFullPath(path))!;
            Files = [Path.GetFileName(path)];
            _single = true;
        }
        else if (Directory.Exists(path))
        {
            _root = Path.GetFullPath(path);
            Files = List(_root);
        }
        else
        {
            throw new CorpusException($"'{path}' is neither a file nor a folder");
        }
    }

    private static string[] List(string root)
    {
        try
        {
            return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new CorpusException($"'{root}' cannot be listed: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public override string Title { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files { get; }

    /// <inheritdoc/>
    public override bool IsSingleFile => _single;

    /// <inheritdoc/>
    public override System.Text.Json.Nodes.JsonObject Describe() => new() { ["source"] = "local files" };

    /// <inheritdoc/>
    /// <remarks>The digest of a single file does not cover its name, so the name must not reach the output.</remarks>
    public override string DescribeFile(string file) => IsSingleFile ? "*" + Extensions(file) : file;

    // As far as the digest covers them: of reviews.v2.jsonl.gz it is .jsonl.gz.
    private static string Extensions(string file)
    {
        var last = Path.GetExtension(file).ToLowerInvariant();
        return last == ".gz" ? Path.GetExtension(file[..^3]).ToLowerInvariant() + last : last;
    }

    /// <inheritdoc/>
    public override Task<string> FetchAsync(string file, CancellationToken cancellation) => Task.FromResult(Path.Combine(_root, file));
}
