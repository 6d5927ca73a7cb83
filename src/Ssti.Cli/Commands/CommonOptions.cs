using System.CommandLine;

namespace Ssti.Cli.Commands;

/// <summary>Options that several verbs share, so that they mean and say the same everywhere.</summary>
internal static class CommonOptions
{
    /// <summary>A run, as the command line names it.</summary>
    public const string RunHelp = "A run: its number (12), name or the beginning of it, 'last', or 'last~1' for the one before.";

    /// <summary>A stage, as the command line names it.</summary>
    public const string StageHelp = "A stage, one of its cells (train@base), or a glob.";

    // Of every verb: what each of them leaves out, adds, and writes for programs.
    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress and no notes; results, warnings and errors only.", Recursive = true };

    public static Option<bool> Verbose { get; } =
        new("--verbose", "-v") { Description = "More: which store; every row, reasons and keys; of a run, the stages' logs as well.", Recursive = true };

    public static Option<bool> Json { get; } = new("--json") { Description = "Report as JSON on standard output.", Recursive = true };

    // Of every verb that has to do with a store, with runs in it, or with stages.
    public static Option<string?> Store { get; } = new("--store")
    {
        Description = "The store: a folder, or s3://bucket/prefix (default: SSTI_STORE, else .ssti at the project's root: the nearest .git, or the pipeline's folder).",
        HelpName = "folder|url",
    };

    public static Option<string?> OfPipeline { get; } = new("--pipeline", "-p")
    {
        Description = "Of the runs of this pipeline only: its name, or its file. 'last' is then its last run.", HelpName = "name|file",
    };

    public static Option<string[]> Stages { get; } =
        new("--stage") { Description = "Only these stages: a stage, a cell (train@base), or a glob. May be repeated.", HelpName = "stage" };

    /// <summary>Opens the store that the command line names, or the project's.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="host">The machine.</param>
    /// <param name="pipeline">The pipeline's file, where the verb is about one.</param>
    /// <exception cref="Ssti.Store.StoreException">A URL, or what belongs to it in the environment, is malformed.</exception>
    public static OpenStore Open(ParseResult parsed, CliHost host, string? pipeline = null)
    {
        var named = Named(parsed, host);
        if (named is "") throw new UserException("--store: an empty name; leave it out for the project's store");
        if (pipeline is null && parsed.GetValue(OfPipeline) is { } of && PipelineFile.Is(of, host)) pipeline = of;
        var store = OpenStore.At(named, pipeline, host, note => Note(parsed, host, note));
        if (parsed.GetValue(Verbose)) host.Terminal.Error.WriteLine($"store: {store.Artifacts.Location}{(store.IsRemote ? $", runs in {store.Workspace.Root}" : "")}");
        return store;
    }

    /// <summary>The store that the command line or the environment names, or null.</summary>
    public static string? Named(ParseResult parsed, CliHost host) =>
        parsed.GetValue(Store) ?? (host.Environment("SSTI_STORE") is { Length: > 0 } variable ? variable : null);

    /// <summary>Says something that is no result and no warning.</summary>
    public static void Note(ParseResult parsed, CliHost host, string text)
    {
        if (!parsed.GetValue(Quiet)) host.Terminal.Error.WriteLine($"note: {text}");
    }
}
