namespace Ssti.Tests;

/// <summary>
/// Finds the real data, models and reference outputs that tests read: the folder named by <c>SSTI_SHARED</c>,
/// else a folder <c>shared</c> beside the repository.
/// </summary>
internal static class SharedData
{
    private static readonly string? Root = Find();

    /// <summary>The absolute path of a file or folder; skips the calling test, saying why, when it is absent.</summary>
    public static string Path(string relative)
    {
        Skip.If(Root is null, $"needs '{relative}' from the shared data folder: set SSTI_SHARED, or put it at ../shared");
        var path = System.IO.Path.Combine(Root!, relative);
        Skip.IfNot(File.Exists(path) || Directory.Exists(path), $"'{path}' does not exist (SSTI_SHARED or ../shared is incomplete)");
        return path;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("SSTI_SHARED") is { Length: > 0 } named) return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "SstiPipeline.sln"))) continue;
            var beside = System.IO.Path.Combine(folder.Parent!.FullName, "shared");
            return Directory.Exists(beside) ? beside : null;
        }

        return null;
    }
}
