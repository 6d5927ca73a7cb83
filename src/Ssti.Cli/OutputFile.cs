using System.CommandLine;
using System.Text;

namespace Ssti.Cli;

/// <summary>Writes a file that a command line names.</summary>
internal static class OutputFile
{
    /// <summary>The option that names it, of every verb that writes one.</summary>
    public static Option<string?> Option { get; } = new("--output", "-o") { Description = "Write into this file (default: standard output).", HelpName = "file" };

    /// <summary>Aside first: what was there is replaced by the whole of it, or not at all.</summary>
    /// <exception cref="UserException">It is a folder.</exception>
    public static Task WriteAsync(string path, string text, CancellationToken cancellation) => WriteAsync(path, writer => writer.WriteAsync(text.AsMemory(), cancellation));

    /// <summary>The same of what is written bit by bit.</summary>
    /// <exception cref="UserException">It is a folder.</exception>
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
            File.Delete(aside);
        }

        async Task FillAsync(string file)
        {
            await using var writer = new StreamWriter(file, append: false, new UTF8Encoding(false));
            await write(writer);
        }
    }
}
