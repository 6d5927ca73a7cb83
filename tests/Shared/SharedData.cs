namespace Ssti.Tests;

/// <summary>
/// Finds the real data, models and reference outputs that tests read: the folder named by <c>SSTI_SHARED</c>,
/// else a folder <c>shared</c> beside the repository.
/// </summary>
internal static class SharedData
{
    private static readonly string Root =
        Environment.GetEnvironmentVariable("SSTI_SHARED") is { Length: > 0 } named
            ? named
            : System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Repository.Root)!, "shared");

    /// <summary>The absolute path of a file or folder; skips the calling test, saying why, when it is absent.</summary>
    public static string Path(string relative)
    {
        Skip.IfNot(Directory.Exists(Root), $"needs '{relative}' of the shared data: no folder '{Root}' (set SSTI_SHARED to it)");
        var path = System.IO.Path.Combine(Root, relative);
        Skip.IfNot(File.Exists(path) || Directory.Exists(path), $"'{path}' does not exist: the shared data is incomplete");
        return path;
    }
}
