using System.CommandLine;

namespace Ssti.Cli.Commands;

/// <summary>Options that several verbs share, so that they mean and say the same everywhere.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json") { Description = "Report as JSON on standard output." };

    public static Option<string?> Store { get; } = new("--store")
    {
        Description = "The store's folder (default: SSTI_STORE, else .ssti in the working folder).",
        HelpName = "folder",
    };

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress; results, warnings and errors only." };

    public static Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "More: reasons, keys and the stages' logs." };

    /// <summary>The absolute path of the store's folder.</summary>
    public static string StoreFolder(ParseResult parsed, CliHost host)
    {
        var named = parsed.GetValue(Store) ?? (host.Environment("SSTI_STORE") is { Length: > 0 } variable ? variable : ".ssti");
        return Path.GetFullPath(named, host.WorkingFolder);
    }
}
