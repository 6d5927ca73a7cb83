using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Records;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti runs</c>: what was run here, newest first.</summary>
internal static class RunsCommand
{
    private const int Shown = 20, LongestCommand = 60;

    private static readonly Option<int?> Limit = WholeNumber.Option("--limit", "-n", 1, $"So many of the newest at most (default: {Shown}).");

    public static Command Create(CliHost host)
    {
        var command = new Command("runs", "List the runs, newest first: of all pipelines, or of one.") { Limit, CommonOptions.OfPipeline, CommonOptions.Store };
        command.SetAction(parsed =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            var names = RunNames.In(store, parsed, host);
            names.MustHaveRuns();
            var limit = parsed.GetValue(Limit) ?? Shown;
            // One more than are shown, to know whether there are more; a store of thousands is not read for a screenful.
            var runs = names.Runs().Take(limit == int.MaxValue ? limit : limit + 1).ToList();
            var more = runs.Count > limit;
            var shown = runs.Take(limit).ToList();
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, Json(shown, more));
            else Write(host.Terminal, store, names, shown, more, parsed.GetValue(CommonOptions.Verbose));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Write(Terminal terminal, OpenStore store, RunNames names, IReadOnlyList<PastRun> runs, bool more, bool verbose)
    {
        if (runs.Count == 0)
        {
            terminal.Out.WriteLine($"no run yet in {store.Workspace.Root}");
            return;
        }

        var profiles = runs.Any(run => run.Profile is not null);
        // Where a name is not enough.
        var files = runs.GroupBy(run => run.Pipeline).Any(ofOne => ofOne.Select(run => run.Place).Distinct().Count() > 1);
        var table = new Table(
            names.Pipeline is { } pipeline ? $"Runs of {pipeline}" : $"Runs in {store.Workspace.Root}",
            [
                new("run", "run", Align.Left), new("begun", "begun (UTC)", Align.Left), new("pipeline", "pipeline", Align.Left),
                .. files ? [new Column("file", "file", Align.Left)] : Array.Empty<Column>(),
                .. profiles ? [new Column("profile", "profile", Align.Left)] : Array.Empty<Column>(), new("state", "state", Align.Left),
                new("time", "time"), new("executed", "executed"), new("cached", "cached"), new("failed", "failed"), new("command", "command", Align.Left),
            ],
            [.. runs.Select(run => Row(run, files, profiles, verbose))],
            more ? [$"and older ones: --limit {Math.Max(200, 10 * runs.Count)} shows more"] : []);
        terminal.Out.Write(table.ToConsole(terminal.Columns));
    }

    private static IReadOnlyList<Cell> Row(PastRun run, bool files, bool profiles, bool verbose) =>
    [
        new TextCell(run.Id), new TextCell(run.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)), new TextCell(run.Pipeline),
        .. files ? [new TextCell(run.Place ?? run.File)] : Array.Empty<Cell>(),
        .. profiles ? [new TextCell(run.Profile ?? "")] : Array.Empty<Cell>(), new TextCell(StateOf(run)), new TextCell(run.Seconds is { } seconds ? Durations.Show(seconds) : ""),
        Count(run, "done"), Count(run, "cached"), Count(run, "failed"),
        new TextCell(verbose || run.Command.Length <= LongestCommand ? run.Command : $"{run.Command[..LongestCommand]}…"),
    ];

    // Killed, or still at it: its journal has no end.
    private static string StateOf(PastRun run) => run.Outcome ?? "unfinished";

    private static NumberCell Count(PastRun run, string state) => new(NumberFormat.Count, run.Stages.Count(stage => stage.State == state));

    private static JsonObject Json(IReadOnlyList<PastRun> runs, bool more) => new()
    {
        ["runs"] = new JsonArray([.. runs.Select(run => new JsonObject
        {
            ["run"] = run.Id,
            ["pipeline"] = run.Pipeline,
            ["profile"] = run.Profile,
            ["file"] = run.File,
            ["place"] = run.Place,
            ["at"] = run.At,
            ["outcome"] = run.Outcome,
            ["seconds"] = run.Seconds,
            ["gpus"] = RunTrace.Json(GpuUse.Of(run)),
            ["executed"] = run.Stages.Count(stage => stage.State == "done"),
            ["cached"] = run.Stages.Count(stage => stage.State == "cached"),
            ["failed"] = run.Stages.Count(stage => stage.State == "failed"),
            ["skipped"] = run.Stages.Count(stage => stage.State is "skipped" or "cancelled"),
            ["command"] = run.Command,
        })]),
        ["more"] = more,
    };
}
