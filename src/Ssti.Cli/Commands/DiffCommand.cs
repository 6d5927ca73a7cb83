using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Records;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti diff</c>: what differs between runs: parameters, why stages differ, claims, tables, measures, metrics.</summary>
internal static class DiffCommand
{
    private static readonly Argument<string[]> Runs = new("runs")
    {
        Description = $"Two runs or more (default: the last two; one alone is compared with the last). {CommonOptions.RunHelp}", Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> Markdown = new("--markdown") { Description = "Write Markdown, for a pull request or a notebook." };

    private static readonly Option<bool> Question = new("--question") { Description = "Print nothing; exit with 3 when anything differs, else 0." };

    public static Command Create(CliHost host)
    {
        var command = new Command("diff", "Show what differs between runs, a column a run: parameters, claims, tables, measures, and why.") { Runs };
        foreach (var option in new Option[] { Markdown, Question, CommonOptions.OfPipeline, CommonOptions.Store }) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            using var use = store.UseToRead();
            var names = RunNames.In(store, parsed, host);
            string[] named = parsed.GetValue(Runs) switch { null or [] => ["last~1", "last"], [var one] => [one, "last"], var several => several };
            PastRun[] runs = [.. named.Select(names.Find)];
            if (runs.Select(run => run.Pipeline).Distinct().ToArray() is [_, _, ..] pipelines)
            {
                await host.Terminal.Error.WriteLineAsync($"warning: these are runs of {(pipelines.Length == 2 ? "two" : "several")} pipelines, {string.Join(" and ", pipelines)}; "
                    + $"'ssti diff --pipeline {runs[^1].Pipeline}' compares the last two of one");
            }

            var difference = await RunComparison.CompareAsync(store.Artifacts, runs, cancellation);
            if (parsed.GetValue(Question)) return difference.Parameters.Count + difference.Stages.Count == 0 ? ExitCodes.Done : ExitCodes.Stale;
            var outputs = await OutputDifferences.OfAsync(store.Artifacts, difference, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, DiffJson.Of(difference, outputs));
            else new DiffText(difference, outputs, parsed.GetValue(CommonOptions.Verbose)).Write(host.Terminal, parsed.GetValue(Markdown));
            return ExitCodes.Done;
        });
        return command;
    }
}
