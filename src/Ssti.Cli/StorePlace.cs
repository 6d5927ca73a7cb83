using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;

namespace Ssti.Cli;

/// <summary>
/// Where the store is that nobody named: it belongs to the project. That is the nearest folder with a <c>.git</c>, from the pipeline's folder upwards (from the
/// working folder where no pipeline is named); where there is none, the folder looked from.
/// </summary>
internal sealed record StorePlace(string Folder, string? Note)
{
    private const string Name = ".ssti";

    /// <summary>Finds it.</summary>
    /// <param name="pipeline">The pipeline's file, or null.</param>
    /// <param name="workingFolder">The working folder.</param>
    public static StorePlace Of(string? pipeline, string workingFolder)
    {
        // What a shell hands over as a pipe (/dev/fd/63) lies nowhere.
        var from = pipeline is not null && Path.GetDirectoryName(Path.GetFullPath(pipeline, workingFolder)) is { } folder && !IsDevice(folder) ? folder : workingFolder;
        var own = Path.Combine(ProjectFolder.Of(from) ?? from, Name);
        // Stores stood in the working folder once, and beside a pipeline that was in no project yet: what is in them is not to be lost from sight.
        var old = new[] { workingFolder, from }.Select(place => Path.Combine(place, Name)).FirstOrDefault(place => place != own && IsStore(place));
        if (old is null) return new(own, null);
        return IsStore(own)
            ? new(own, $"the store is {own}, the project's; the one in {old} is not looked at (its results are copied by: ssti push {Quoted(own)} --store {Quoted(old)})")
            : new(old, $"the store is {old}, for there is none at {own} yet (it is put there by: mv {Quoted(old)} {Quoted(own)})");
    }

    /// <summary>What may be meant where there is no store: those in folders beside it; empty when there are none.</summary>
    public static string Nearby(string workingFolder)
    {
        string[] found;
        try
        {
            found = [.. Directory.EnumerateDirectories(workingFolder).Take(200).Select(folder => Path.Combine(folder, Name)).Where(IsStore).Take(3)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }

        return found.Length == 0 ? "" : $"; {(found.Length == 1 ? "there is one" : "there are some")} in {Words.List(found)}";
    }

    /// <summary>Whether a folder is a store that something was stored in.</summary>
    public static bool IsStore(string folder) => Directory.Exists(Path.Combine(folder, "cas")) || Directory.Exists(Path.Combine(folder, "runs"));

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"'{path}'" : path;

    private static bool IsDevice(string folder) => folder.StartsWith("/dev/", StringComparison.Ordinal) || folder == "/dev"
        || folder.StartsWith("/proc/", StringComparison.Ordinal);
}
