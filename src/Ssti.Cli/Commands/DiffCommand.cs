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
        foreach (var option in new Option[] { Markdown, Question, CommonOptions.OfPipeline, CommonOptions.Store }) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            using var use = store.UseToRead();
            var names = RunNames.In(store, parsed, host);
            var (before, after) = (names.Find(parsed.GetRequiredValue(Before)), names.Find(parsed.GetRequiredValue(After)));
            if (before.Pipeline != after.Pipeline)
            {
                await host.Terminal.Error.WriteLineAsync($"warning: these are runs of two pipelines, {before.Pipeline} and {after.Pipeline}; "
                    + $"'ssti diff --pipeline {after.Pipeline}' compares the last two of one");
            }

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
