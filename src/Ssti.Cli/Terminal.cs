namespace Ssti.Cli;

/// <summary>Where text goes: results to standard output, so that they can be piped on; progress and errors to standard error.</summary>
/// <param name="Out">Results: tables, JSON, exported text.</param>
/// <param name="Error">Progress, warnings and errors.</param>
/// <param name="IsInteractive">Whether a person sees <paramref name="Error"/> as it is written, so that bars may be redrawn.</param>
public sealed record Terminal(TextWriter Out, TextWriter Error, bool IsInteractive)
{
    /// <summary>The process's own.</summary>
    public static Terminal OfProcess(Func<string, string?> environment) =>
        new(Console.Out, Console.Error, !Console.IsErrorRedirected && environment("TERM") != "dumb" && environment("CI") is null or "");
}
