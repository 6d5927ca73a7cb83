using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Engine.Stages;
using Ssti.Reporting.Report;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>A run as a report: what its stages left, and how.</summary>
internal static class RunReport
{
    /// <summary>Injected rows of each split.</summary>
    public const int UsualRows = 3;

    // What is said of a stage with several cells is the worst that is so of one.
    private static readonly string[] Worst = ["failed", "cancelled", "skipped", "waiting", "done", "cached"];

    /// <summary>Reads a run and what it left. What cannot be read is said on the page.</summary>
    public static async Task<ReportPage> OfAsync(OpenStore store, PastRun run, int rows, CancellationToken cancellation)
    {
        // Journals have them as they ended; people think in the pipeline's order.
        run = run with { Stages = [.. run.Stages.OrderBy(stage => stage.Index)] };
        var (parts, missing) = (new ReportParts(rows), new List<ReportNote>());
        var records = await RecordsAsync(store.Artifacts, run, cancellation);
        var files = new Dictionary<string, IReadOnlyList<TreeFile>>();
        foreach (var stage in run.Stages)
        {
            if (stage.Tree is null) continue;
            if (records.TryGetValue(stage.Stage, out var record)) files[stage.Stage] = record.Files;
            else missing.Add(new(stage.Stage, "its output is not in the store any more ('ssti gc', or another store)"));
        }

        var datasets = ReportParts.FirstDatasets(run.Stages.Where(stage => files.ContainsKey(stage.Stage)), stage => (stage.Stage, Names(files[stage.Stage])));
        foreach (var stage in run.Stages.Where(stage => files.ContainsKey(stage.Stage)))
        {
            try
            {
                var wanted = ReportParts.FilesOf(stage.Uses, Names(files[stage.Stage]), datasets.Contains(stage));
                if (ReportParts.IsInjected(Names(files[stage.Stage])) && !datasets.Contains(stage)) missing.Add(new(stage.Stage, ReportParts.TooMany));
                var paths = new Dictionary<string, string>();
                foreach (var file in files[stage.Stage].Where(file => wanted.Contains(file.Path)))
                    paths[file.Path] = await store.Artifacts.CheckedPathAsync(file.Digest, cancellation);
                parts.Add(new InputTree(stage.Stage, stage.Uses, stage.Cell, paths), wanted);
            }
            catch (Exception error) when (error is StageException or StoreException or IOException)
            {
                missing.Add(new(stage.Stage, $"its output cannot be shown: {error.Message}"));
            }
        }

        return parts.On(new ReportPage($"{run.Pipeline}, run {run.Id}{Words.Profile(run.Profile)}")
        {
            Lead = run.Outcome is null ? $"Under way, or killed: {Ended(run)}. What is not there yet is named below." : null,
            Facts = Facts(run, records.Values),
            Doubts =
            [
                .. run.Stages.SelectMany(stage => stage.Warnings.Distinct().Select(warning => new ReportNote(stage.Stage, warning))),
                .. run.Warnings.Distinct().Select(warning => new ReportNote(null, warning)),
            ],
            Missing = [.. Missing(run), .. missing],
            Graph = Graph(run),
            Times = Times(run),
            Origins = [.. run.Stages.Select(stage => Origin(stage, records.GetValueOrDefault(stage.Stage)))],
            More = $"'ssti export {run.File} STAGE FOLDER' writes a stage's output, given the --profile and --set of the run's command",
        });
    }

    /// <summary>How many of the cells of a run came to an end: <c>12 of 48 cells are over</c>.</summary>
    public static string Ended(PastRun run) => run.Plan.Count == 0
        ? $"{Amounts.Of(run.Stages.Count, "cell")} over" : $"{run.Stages.Count} of {Amounts.Of(Planned(run), "cell")} over";

    /// <summary>How many cells a run has; as many as are over where its journal does not say.</summary>
    public static int Planned(PastRun run) => (int)Math.Min(int.MaxValue, Math.Max(run.Stages.Count, run.Plan.Sum(stage => (long)stage.Cells)));

    private static async Task<Dictionary<string, ActionRecord>> RecordsAsync(IArtifactStore store, PastRun run, CancellationToken cancellation)
    {
        PastStage[] made = [.. run.Stages.Where(stage => stage is { Key: not null, Tree: not null })];
        var found = await store.RecordsAsync([.. made.Select(stage => stage.Key!.Value)], cancellation);
        return made.Zip(found, (stage, records) => (stage.Stage, Record: records.FirstOrDefault(record => record.Tree == stage.Tree)))
            .Where(one => one.Record is not null).ToDictionary(one => one.Stage, one => one.Record!);
    }

    private static string[] Names(IReadOnlyList<TreeFile> files) => [.. files.Select(file => file.Path)];

    private static IReadOnlyList<ReportFact> Facts(PastRun run, IReadOnlyCollection<ActionRecord> records)
    {
        var states = run.Stages.GroupBy(stage => stage.State).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} {group.Key}");
        List<ReportFact> facts =
        [
            new("Run", run.Id), new("Pipeline", run.File.Length > 0 ? $"{run.Pipeline} ({run.File})" : run.Pipeline),
            new("Outcome", $"{run.Outcome ?? "unfinished"}{(run.Seconds is { } seconds ? $" in {Durations.Show(seconds)}" : "")}; {string.Join(", ", states)}"),
            new("Begun", run.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC"), new("Command", run.Command),
        ];
        string[] devices = [.. records.Select(record => record.Device).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (devices.Length > 0) facts.Add(new("Computed on", string.Join(", ", devices)));
        if (run.Versions.Count > 0) facts.Add(new("Versions", string.Join(", ", run.Versions.Select(version => $"{version.Key} {version.Value}"))));
        if (run.Profile is { } profile) facts.Add(new("Profile", profile));
        facts.AddRange(run.Parameters.Select(parameter => new ReportFact($"params.{parameter.Key}", parameter.Value)));
        return facts;
    }

    private static IEnumerable<ReportNote> Missing(PastRun run)
    {
        foreach (var stage in run.Stages.Where(stage => stage.State is not ("done" or "cached")))
            yield return new(stage.Stage, $"{stage.State}{(stage.Error is { } error ? $": {error}" : "")}");
        foreach (var planned in run.Plan)
        {
            var ended = Cells(run, planned.Stage).Count();
            if (ended >= planned.Cells) continue;
            var state = run.Outcome is null ? "not over yet" : "did not come to an end";
            yield return new(planned.Stage, planned.Cells == 1 ? state : $"{planned.Cells - ended} of {Amounts.Of(planned.Cells, "cell")} {state}");
        }

        if (run.Plan.Count == 0) yield return new(null, "No graph: the journal of this run, written by an older version, does not hold it.");
    }

    private static IEnumerable<PastStage> Cells(PastRun run, string stage) => run.Stages.Where(cell => cell.Stage.Split('@')[0] == stage);

    private static IReadOnlyList<ReportNode> Graph(PastRun run) => [.. run.Plan.Select(planned =>
    {
        var counts = Cells(run, planned.Stage).CountBy(cell => cell.State).ToDictionary();
        if (planned.Cells - counts.Values.Sum() is > 0 and var waiting) counts["waiting"] = waiting;
        string[] states = [.. counts.Keys.OrderBy(state => Array.IndexOf(Worst, state))];
        return new ReportNode(
            planned.Stage, planned.Uses, planned.Cells, states.FirstOrDefault("waiting"),
            string.Join(", ", states.Select(state => planned.Cells == 1 ? state : $"{counts[state]} {state}")), planned.Needs);
    })];

    private static IReadOnlyList<ReportTime> Times(PastRun run)
    {
        var slices = RunTrace.Slices(run);
        var whole = Math.Max(run.Seconds ?? 0, slices.Select(slice => slice.End).DefaultIfEmpty().Max());
        if (whole <= 0) return [];
        return [.. slices.GroupBy(slice => slice.Stage.Stage.Split('@')[0]).OrderBy(cells => cells.Min(cell => cell.Start)).Select(cells => new ReportTime(
            cells.Key, cells.First().Stage.Uses, cells.Count(),
            Durations.Show(cells.Sum(cell => (cell.End - cell.Start) / cell.Stage.Together)),
            [.. cells.Select(cell => (cell.Start / whole, cell.End / whole, cell.Stage.State is "failed" or "cancelled"))]))];
    }

    private static ReportOrigin Origin(PastStage stage, ActionRecord? record) => new(stage.Stage, stage.Uses, stage.Cell)
    {
        State = stage.State, Key = stage.Key?.ToString(), Output = stage.Tree?.ToString(), Version = record?.Document["version"]?.ToString(),
        Seed = record?.Document["seed"]?.ToString(), Numerics = record?.Document["numerics"] is JsonObject numerics ? Numerics(numerics, record) : null,
        Time = record is null ? null
            : $"{Durations.Show(record.Durations.Execute)}{Words.Together(record.Together ?? 1)}", MadeBy = record?.Run,
    };

    private static string Numerics(JsonObject numerics, ActionRecord record) =>
        $"{numerics["device-class"]}, {numerics["dtype"]}{((bool?)numerics["tf32"] == true ? " (TF32)" : "")}, {numerics["threads"]} threads, libtorch {numerics["libtorch"]}"
        + (record.Gpus.Count > 0 ? $", {GpuUse.Words(record.Gpus, record.PerGpu ?? 1)}" : "");
}
