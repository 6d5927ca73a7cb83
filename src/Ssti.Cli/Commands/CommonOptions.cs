using System.CommandLine;

namespace Ssti.Cli.Commands;

/// <summary>Options that several verbs share, so that they mean and say the same everywhere.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json") { Description = "Report as JSON on standard output." };

    public static Option<string?> Store { get; } = new("--store")
    {
        Description = "The store: a folder, or s3://bucket/prefix (default: SSTI_STORE, else .ssti in the working folder).",
        HelpName = "folder|url",
    };

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress; results, warnings and errors only." };

    public static Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "More: every row, reasons and keys; of a run, the stages' logs as well." };

    /// <summary>A run, as the command line names it.</summary>
    public const string RunHelp = "A run: its number (12), name or the beginning of it, 'last', or 'last~1' for the one before.";

    /// <summary>Opens the store that the command line names.</summary>
    /// <exception cref="Ssti.Store.StoreException">A URL, or what belongs to it in the environment, is malformed.</exception>
    public static OpenStore Open(ParseResult parsed, CliHost host) =>
        OpenStore.At(parsed.GetValue(Store) ?? (host.Environment("SSTI_STORE") is { Length: > 0 } variable ? variable : OpenStore.DefaultFolder), host);
}
