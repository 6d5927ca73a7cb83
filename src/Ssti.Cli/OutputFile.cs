using System.CommandLine;
using System.Text;
using Ssti.Store.Files;

namespace Ssti.Cli;

/// <summary>Writes a file that a command line names.</summary>
internal static class OutputFile
{
    /// <summary>The option that names it, of every verb that writes one.</summary>
    public static Option<string?> Option { get; } = new("--output", "-o") { Description = "Write into this file (default: standard output).", HelpName = "file" };

    /// <summary>
    /// Looks at the places that files will be written to, before anything is done: one that cannot be written would be told only in the end, and one that is read from, or
    /// named twice, would be lost.
    /// </summary>
    /// <param name="read">What is read: files, folders (whose files are not replaced), URLs and nulls, which are passed over.</param>
    /// <param name="written">Of each place the option and what it was given; null for one that was not.</param>
    /// <param name="workingFolder">What relative paths are relative to.</param>
    /// <exception cref="UserException">One of them cannot be written, or would replace what is read or written besides.</exception>
    public static void Look(string workingFolder, IEnumerable<string?> read, params (string Option, string? Named)[] written)
    {
        string[] sources = [.. read.OfType<string>().Select(path => Path.GetFullPath(path, workingFolder)).Where(Path.Exists).Select(FolderWalk.RealPath)];
        var seen = new Dictionary<string, string>();
        foreach (var (option, named) in written)
        {
            if (named is null) continue;
            if (named.Length == 0) throw new UserException($"{option}: an empty name is no file");
            var path = Path.GetFullPath(named, workingFolder);
            if (Directory.Exists(path)) throw new UserException($"{option}: '{named}' is a folder; name a file");
            if (!Directory.Exists(Path.GetDirectoryName(path)))
                throw new UserException($"{option}: {NoFolderFor(path)}");
            if (!seen.TryAdd(path, option)) throw new UserException($"{option}: '{named}' is what {seen[path]} writes; name another file");
            // What lies in /dev is no file of anybody's: /dev/stdout may be a pipe.
            if (!File.Exists(path) || path.StartsWith("/dev/", StringComparison.Ordinal)) continue;
            var real = FolderWalk.RealPath(path);
            if (sources.Any(source => real == source || real.StartsWith(source.TrimEnd('/') + '/', StringComparison.Ordinal)))
                throw new UserException($"{option}: '{named}' is read from, and would be lost; name another file");
        }
    }

    /// <summary>Aside first: what was there is replaced by the whole of it, or not at all.</summary>
    /// <exception cref="UserException">It is a folder, or cannot be made.</exception>
    public static Task WriteAsync(string path, string text, CancellationToken cancellation) => WriteAsync(path, writer => writer.WriteAsync(text.AsMemory(), cancellation));

    /// <summary>The same of what is written bit by bit.</summary>
    /// <exception cref="UserException">It is a folder, or cannot be made.</exception>
    public static async Task WriteAsync(string path, Func<TextWriter, Task> write)
    {
        if (Directory.Exists(path)) throw new UserException($"{path} is a folder; name a file");
        // A pipe or a terminal (/dev/stdout) is written to, and never replaced.
        if (File.Exists(path) && !File.GetAttributes(path).HasFlag(FileAttributes.Normal))
        {
            await FillAsync(path);
            return;
        }

        var aside = $"{path}.{Guid.NewGuid().ToString("n")[..8]}";
        try
        {
            await FillAsync(aside);
            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            if (File.Exists(aside)) File.Delete(aside);
        }

        async Task FillAsync(string file)
        {
            await using var writer = Opened(file);
            await write(writer);
        }

        // By the name that the user gave: the one aside says nothing to anybody.
        StreamWriter Opened(string file)
        {
            try
            {
                return new StreamWriter(file, append: false, new UTF8Encoding(false));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new UserException(!Directory.Exists(Path.GetDirectoryName(path)) ? NoFolderFor(path)
                    : $"{path} cannot be written: {(error is UnauthorizedAccessException ? "its folder may not be written to" : error.Message)}", ExitCodes.Failed);
            }
        }
    }

    private static string NoFolderFor(string path) => $"there is no folder {Path.GetDirectoryName(path)} to write {Path.GetFileName(path)} into";
}
