namespace Ssti.Tests;

/// <summary>The repository that the running tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root: the nearest folder above the test's binaries that holds SstiPipeline.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SstiPipeline.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"no SstiPipeline.sln above {AppContext.BaseDirectory}: tests run from the repository's own build output");
    }
}
