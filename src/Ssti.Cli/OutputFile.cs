using System.CommandLine;
using System.Text;

namespace Ssti.Cli;

/// <summary>Writes a file that a command line names.</summary>
internal static class OutputFile
{
    /// <summary>The option that names it, of every verb that writes one.</summary>
    public static Option<string?> Option { get; } = new("--output", "-o") { Description = "Write into this file (default: standard output).", HelpName = "file" };

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
                var folder = Path.GetDirectoryName(path)!;
                throw new UserException(!Directory.Exists(folder) ? $"there is no folder {folder} to write {Path.GetFileName(path)} into"
                    : $"{path} cannot be written: {(error is UnauthorizedAccessException ? "its folder may not be written to" : error.Message)}", ExitCodes.Failed);
            }
        }
    }
}
