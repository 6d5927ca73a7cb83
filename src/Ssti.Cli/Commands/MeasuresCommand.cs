using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Reporting.Measures;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti measures</c>: every measure of a pipeline's history, one a line, for statistics programs.</summary>
internal static class MeasuresCommand
{
    // A stage that is cached through a long history is read once; more than so many are read again rather than kept.
    private const int MostKept = 10_000;

    private static readonly Argument<string[]> What = new("runs|pipelines")
    {
        Description = $"Pipelines, by name or file, and runs; by default all runs. {CommonOptions.RunHelp}", Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create(CliHost host)
    {
        var command = new Command("measures", "Write every measure of the runs as CSV, one a line, with matrix values, parameters, interval and definition; --json: JSON lines.")
        {
            What, OutputFile.Option, CommonOptions.Stages, CommonOptions.OfPipeline, CommonOptions.Store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            using var use = store.UseToRead();
            var runs = Runs(RunNames.In(store, parsed, host), new RunHistory(store.Workspace), parsed.GetValue(What) ?? [], host);
            foreach (var ofOne in runs.GroupBy(run => run.Pipeline))
            {
                if (ofOne.Select(run => run.Place).OfType<string>().Distinct().ToList() is [_, _, ..] files)
                    CommonOptions.Note(parsed, host, $"these are runs of {files.Count} pipelines that are called '{ofOne.Key}' ({Words.List(files)}): name the file for its own");
            }

            Task WriteTo(TextWriter output) => WriteAsync(host, parsed, store.Artifacts, runs, output, cancellation);
            if (parsed.GetValue(OutputFile.Option) is not { } named) await WriteTo(host.Terminal.Out);
            else if (named.Length == 0) throw new UserException("--output: an empty name is no file");
            else await OutputFile.WriteAsync(Path.GetFullPath(named, host.WorkingFolder), WriteTo);
            return ExitCodes.Done;
        });
        return command;
    }

    // Oldest first, as a history is read; a run that is named twice is there once.
    private static IReadOnlyList<PastRun> Runs(RunNames names, RunHistory history, IReadOnlyList<string> what, CliHost host)
    {
        names.MustHaveRuns();
        var found = new List<PastRun>();
        if (what.Count == 0) found.AddRange(names.Runs());
        foreach (var name in what)
        {
            var isFile = PipelineFile.Is(name, host);
            IReadOnlyList<string> several = [];
            if ((isFile ? null : names.TryFind(name, out several)) is { } run)
            {
                found.Add(run);
                continue;
            }

            if (several.Count > 0) names.Find(name); // says which it may be
            var pipeline = isFile ? PipelineLoader.NameOf(PipelineFile.Find(name, host)) : name;
            var ofIt = history.RunsOf(pipeline ?? "", RunNames.PlaceOf(name, host)).Where(ofName => names.Pipeline is null || ofName.Pipeline == names.Pipeline).ToList();
            if (ofIt.Count == 0)
            {
                var known = names.Runs().Select(candidate => candidate.Pipeline).Distinct().ToList();
                throw new UserException($"'{name}' is neither a run nor a pipeline that was run here{Words.Meant(name, known.Concat(history.Ids).Append("last"))}"
                    + (known.Count == 0 ? "; nothing was run yet" : $"; there are runs of {Words.List(known)}"));
            }

            found.AddRange(ofIt);
        }

        return [.. found.DistinctBy(run => run.Id).OrderBy(run => run.Id, StringComparer.Ordinal)];
    }

    private static async Task WriteAsync(
        CliHost host, ParseResult parsed, IArtifactStore store, IReadOnlyList<PastRun> runs, TextWriter output, CancellationToken cancellation)
    {
        var (selection, json, lines) = (StageSelection.Of(parsed), parsed.GetValue(CommonOptions.Json), MeasureLines.Of(runs));
        var (known, odd, gone) = (new Dictionary<Digest, MeasureSet?>(), new List<string>(), 0);
        if (!json) await output.WriteAsync(lines.Heading());
        foreach (var run in runs)
        {
            // They ended in an order that another run does not have.
            foreach (var stage in selection.In(run).OrderBy(stage => stage.Index).ThenBy(stage => stage.Stage, StringComparer.Ordinal))
            {
                if (stage.Tree is not { } tree) continue;
                if (!known.TryGetValue(tree, out var set))
                {
                    if (!await PastOutputs.IsThereAsync(store, stage, cancellation)) gone++;
                    set = await PastOutputs.ReadAsync(store, stage, PastOutputs.MeasureFiles, text => MeasureSet.Parse(stage.Stage, stage.Cell, text), cancellation,
                        why => odd.Add($"{stage.Stage} of run {run.Id}: {why}; its measures are left out"));
                    if (known.Count < MostKept) known.Add(tree, set);
                }

                foreach (var (measure, label, described, reading) in set?.Readings ?? [])
                {
                    cancellation.ThrowIfCancellationRequested();
                    await output.WriteAsync(json ? MeasureLines.ToJson(run, stage, measure, label, described, reading)
                        : lines.ToCsv(run, stage, measure, label, described, reading));
                }
            }
        }

        foreach (var warning in odd) await host.Terminal.Error.WriteLineAsync($"warning: {warning}");
        if (gone > 0) CommonOptions.Note(parsed, host, $"the outputs of {Amounts.Of(gone, "stage")} are not in the store any more: what those measured is left out");
    }
}
