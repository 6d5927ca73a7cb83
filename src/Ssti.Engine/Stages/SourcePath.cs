namespace Ssti.Engine.Stages;

/// <summary>
/// A parameter that names content outside the store: a local file or folder, or a URI such as <c>hf://owner/name@revision</c>.
/// </summary>
/// <remarks>
/// In a key document a local path stands as the digest of its content, never as a path, so that the same bytes
/// elsewhere give the same key; a URI stands with the revision it means (<see cref="ISourceResolver"/>), else as it is written. A relative
/// path is relative to the pipeline file that holds it (on the command line, to the working folder).
/// </remarks>
/// <param name="Text">As written.</param>
/// <param name="LocalPath">The absolute path, or null for a URI.</param>
public sealed record SourcePath(string Text, string? LocalPath)
{
    /// <summary>Whether this is a URI rather than a local path.</summary>
    public bool IsUri => LocalPath is null;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
