using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Yaml;

namespace Ssti.Cli;

/// <summary>The file of a pipeline, as the command line names it.</summary>
internal static class PipelineFile
{
    private const int MostLooked = 1000;
    private static readonly string[] Endings = [".yaml", ".yml"];

    /// <summary>Whether a name is meant as a file and not as a pipeline's name: it is there, or looks like one.</summary>
    public static bool Is(string named, CliHost host) =>
        HasEnding(named) || named.Contains('/', StringComparison.Ordinal) || File.Exists(Path.GetFullPath(named, host.WorkingFolder));

    /// <summary>The file, which is there.</summary>
    /// <exception cref="UserException">There is none of that name; the message says what may be meant.</exception>
    public static string Find(string named, CliHost host)
    {
        if (named.Length == 0) throw new UserException("an empty name is no pipeline; name its file, such as pipelines/quickstart.yaml");
        string full;
        try
        {
            full = Path.GetFullPath(named, host.WorkingFolder);
        }
        catch (ArgumentException error)
        {
            throw new UserException($"'{named}' is no pipeline's file: {error.Message}");
        }

        // The name as typed is what messages repeat; it is made absolute only where the host stands in another folder than the process.
        if (File.Exists(full)) return full == Path.GetFullPath(named) ? named : full;
        if (Directory.Exists(full))
        {
            var there = Pipelines(full).Select(file => Path.GetRelativePath(host.WorkingFolder, file)).ToList();
            throw new UserException($"'{named}' is a folder; name a pipeline's file{(there.Count == 0 ? "" : $" in it: {Words.List(there)}")}");
        }

        var near = Nearest(named, full, host);
        throw new UserException($"there is no pipeline '{named}'" + (near is null ? $": no such file in {host.WorkingFolder}" : $"; did you mean '{near}'?"));
    }

    // Looked for where pipelines are: in the folder named, in the working folder, in pipelines/ there and at the project's root.
    private static string? Nearest(string named, string full, CliHost host)
    {
        var project = ProjectFolder.Of(host.WorkingFolder) ?? host.WorkingFolder;
        var files = new[] { Path.GetDirectoryName(full) ?? full, host.WorkingFolder, Path.Combine(host.WorkingFolder, "pipelines"), project, Path.Combine(project, "pipelines") }
            .Distinct().SelectMany(Pipelines).Distinct().ToList();
        var stem = Stem(named);
        var found = files.FirstOrDefault(file => Stem(file) == stem)
            ?? (NearestWord.Find(stem, files.Select(Stem)) is { } near ? files.First(file => Stem(file) == near) : null);
        return found is null ? null : Path.GetRelativePath(host.WorkingFolder, found);
    }

    private static string Stem(string file) => HasEnding(file) ? Path.GetFileNameWithoutExtension(file) : Path.GetFileName(file);

    private static bool HasEnding(string file) => Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);

    private static IReadOnlyList<string> Pipelines(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Take(MostLooked).Where(HasEnding).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
