namespace Ssti.Cli.Fit;

/// <summary>
/// What stood in some files before they are written for a while: put back when it is disposed of, unless <see cref="Forget"/> was called. A fit whose rows or model
/// are refused leaves the pipeline of an earlier one as it was, and none of its own.
/// </summary>
internal sealed class FilesBefore(params string[] paths) : IDisposable
{
    private readonly (string Path, byte[]? Bytes)[] _before = [.. paths.Select(path => (path, File.Exists(path) ? File.ReadAllBytes(path) : null))];
    private bool _forgotten;

    /// <summary>What is written by now stays.</summary>
    public void Forget() => _forgotten = true;

    public void Dispose()
    {
        if (_forgotten) return;
        foreach (var (path, bytes) in _before)
        {
            try
            {
                if (bytes is null) File.Delete(path);
                else File.WriteAllBytes(path, bytes);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // What could not be put back cannot be helped, and hides no error that is on its way.
            }
        }
    }
}
