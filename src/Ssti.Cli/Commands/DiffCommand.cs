using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Records;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti diff</c>: what differs between two runs: parameters, why stages differ, metrics, tables.</summary>
internal static class DiffCommand
{
    private static readonly Argument<string> Before = new("before")
    {
        Description = CommonOptions.RunHelp, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last~1",
    };

    private static readonly Argument<string> After =
        new("after") { Description = "The run to compare it with.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last" };

    private static readonly Option<bool> Markdown = new("--markdown") { Description = "Write Markdown, for a pull request or a notebook." };

    private static readonly Option<bool> Question = new("--question") { Description = "Print nothing; exit with 3 when anything differs, else 0." };

    public static Command Create(CliHost host)
    {
        var command = new Command("diff", "Show what differs between two runs: parameters, causes, metrics and tables.") { Before, After };
        foreach (var option in new Option[] { Markdown, Question, CommonOptions.Verbose, CommonOptions.Store, CommonOptions.Json }) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist();
            using var use = store.UseToRead();
            var (before, after) = (RunNames.Find(store, parsed.GetRequiredValue(Before)), RunNames.Find(store, parsed.GetRequiredValue(After)));
            var difference = await RunComparison.CompareAsync(store.Artifacts, before, after, cancellation);
            var tables = await TableDifferences.OfAsync(store.Artifacts, before, after, cancellation);
            if (parsed.GetValue(Question))
                return difference.Parameters.Count + difference.Stages.Count == 0 ? ExitCodes.Done : ExitCodes.Stale;
            var output = host.Terminal.Out;
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(output, DiffJson.Of(difference, tables));
            else DiffText.Write(output, difference, tables, parsed.GetValue(Markdown), parsed.GetValue(CommonOptions.Verbose));
            return ExitCodes.Done;
        });
        return command;
    }
}
