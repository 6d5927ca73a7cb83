namespace Ssti.Cli;

/// <summary>Where text goes: results to standard output, so that they can be piped on; progress and errors to standard error.</summary>
/// <param name="Out">Results: tables, JSON, exported text.</param>
/// <param name="Error">Progress, warnings and errors.</param>
/// <param name="IsInteractive">Whether a person sees <paramref name="Error"/> as it is written, so that bars may be redrawn.</param>
/// <param name="Columns">
/// The width that tables in <paramref name="Out"/> are fitted into; null where it is a pipe or a file, in which a row stays one line for whoever reads it.
/// </param>
public sealed record Terminal(TextWriter Out, TextWriter Error, bool IsInteractive, int? Columns = null)
{
    private const int BrokenPipe = 32;

    /// <summary>
    /// Opens standard output for a stream of lines that ends when nobody reads any more, with an <see cref="IOException"/>: .NET's own writer says nothing then, and whoever
    /// writes goes on for nothing. The caller disposes it, unless it is <see cref="Out"/>.
    /// </summary>
    public TextWriter OpenOut() => ReferenceEquals(Out, Console.Out) && Console.IsOutputRedirected && !OperatingSystem.IsWindows()
        ? new StreamWriter(new StandardOutput(), new System.Text.UTF8Encoding(false), 1 << 16)
        : Out;

    /// <summary>Whether an error is that of writing into a pipe that nobody reads.</summary>
    public static bool IsNobodyReading(IOException error) => (error.HResult & 0xffff) == BrokenPipe || (error.InnerException is IOException inner && IsNobodyReading(inner));

    // What a terminal has that does not tell.
    private const int UsualColumns = 80;

    /// <summary>The process's own.</summary>
    public static Terminal OfProcess(Func<string, string?> environment) =>
        new(Console.Out, Console.Error, !Console.IsErrorRedirected && environment("TERM") != "dumb" && environment("CI") is null or "", Width());

    private static int? Width()
    {
        if (Console.IsOutputRedirected) return null;
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : UsualColumns;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return UsualColumns;
        }
    }
}
