using System.CommandLine;
using Ssti.Engine.Planning;

namespace Ssti.Cli.Commands;

/// <summary>What every verb on a pipeline takes: the file, overrides, and a selection of stages.</summary>
internal static class PipelineOptions
{
    public static Argument<string> Pipeline { get; } = new("pipeline.yaml") { Description = "The pipeline's file." };

    public static Option<string[]> Set { get; } = new("--set")
    {
        Description = "Override a parameter: params.rank=8, imdb.source=../data/imdb, compute.threads=1. May be repeated.",
        HelpName = "name=value",
    };

    public static Option<string?> Device { get; } = Among(
        new Option<string?>("--device") { Description = "Where tensors are computed; short for --set compute.device=...", HelpName = "auto|cpu|cuda" }, "auto", "cpu", "cuda");

    public static Option<string?> Profile { get; } = new("--profile")
    {
        Description = "Take the parameters of this profile of the pipeline, such as smoke or paper; --set wins over them.", HelpName = "name",
    };

    public static Option<bool> NoLocal { get; } = new("--no-local") { Description = "Leave out the values of ssti.local.yaml beside the pipeline." };

    /// <summary>What makes a pipeline another than its file says; of every verb that reads one.</summary>
    public static IReadOnlyList<Option> Overrides { get; } = [Set, Profile, Device, NoLocal];

    public static Option<string[]> Until { get; } = Globs("--until", "Only these stages and what they need.");

    public static Option<string[]> From { get; } = Globs("--from", "Only these stages and what needs them; what they need must be cached.");

    public static Option<string[]> Only { get; } = Globs("--only", "Only these stages; what they need must be cached.");

    public static Option<string[]> Force { get; } = Globs("--force", "Run these stages although they are cached.", "-f");

    public static Option<bool> Locked { get; } = new("--locked")
    {
        Description = "Refuse unless every remote source has its revision in the pipeline or its lock file ('ssti lock'); ask nobody.",
    };

    public static Option<string?> Trust { get; } = new("--trust")
    {
        Description = "Take only results that one of these keys signed ('ssti keys'), such as own,alice (default: SSTI_TRUST, else anybody's).", HelpName = "names",
    };

    public static Option<bool> Question { get; } = new("--question") { Description = "Run nothing; exit with 3 when anything is stale, else 0." };

    /// <summary>Adds what selects stages of a pipeline.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Pipeline);
        foreach (var option in (Option[])[.. Overrides, Until, From, Only, Force, Trust, CommonOptions.Store]) command.Add(option);
    }

    public static RunSelection Selection(ParseResult parsed) => new()
    {
        Until = parsed.GetValue(Until) ?? [],
        From = parsed.GetValue(From) ?? [],
        Only = parsed.GetValue(Only) ?? [],
        Force = parsed.GetValue(Force) ?? [],
    };

    /// <summary>Ends the command where an override has no pipeline to be one of: it would be passed over without a word.</summary>
    /// <exception cref="UserException">There is one.</exception>
    public static void MustHaveNone(ParseResult parsed, string why)
    {
        if (Overrides.Any(option => parsed.GetResult(option) is { Implicit: false }))
            throw new UserException($"--set, --profile, --device and --no-local belong to a pipeline; {why}");
    }

    /// <summary>The overrides as they were given, for another command on the same pipeline: with a space before each, quoted for a shell.</summary>
    public static string Again(ParseResult parsed) => string.Concat(Overrides.Append(CommonOptions.Store).Select(parsed.GetResult).Where(found => found is { Implicit: false })
        .SelectMany(found => found!.Tokens.Count == 0 ? [$" {found.Option.Name}"] : found.Tokens.Select(token => $" {found.Option.Name} {Quoted(token.Value)}")));

    private static string Quoted(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=:@+,%".Contains(c, StringComparison.Ordinal))
        ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static Option<string[]> Globs(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = "stage" };

    private static Option<string?> Among(Option<string?> option, params string[] values)
    {
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
