using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>A run that is over, for people and for programs.</summary>
internal static class RunText
{
    /// <summary>The closing table, a row a stage (with <paramref name="verbose"/> a row a cell), then what failed and where to read on.</summary>
    public static void Write(Terminal terminal, RunResult result, bool verbose)
    {
        var rows = verbose
            ? result.Stages.Select(stage => Row(stage.Instance.Name, stage.Instance.Kind.Name, [stage]))
            : result.Stages.GroupBy(stage => stage.Instance.Stage).Select(cells => Row(cells.Key, cells.First().Instance.Kind.Name, [.. cells]));
        var executed = result.Stages.Count(stage => stage.State == StageState.Done);
        var cached = result.Stages.Count(stage => stage.State == StageState.Cached);
        var table = new Table(
            $"Run {result.RunId}{Words.Profile(result.Plan.Pipeline.Profile?.ToString())}: {result.Outcome.ToString().ToLowerInvariant()} in "
            + $"{Durations.Show(result.Seconds)}; {executed} executed, {cached} cached",
            [new("stage", "stage", Align.Left), new("uses", "uses", Align.Left), new("cells", "cells"), new("state", "state", Align.Left), new("time", "time")],
            [.. rows],
            result.Stages.Any(stage => stage.Together > 1)
                ? ["the time of stages that went together is that of all of them, counted once"] : []);
        terminal.Out.Write(table.ToConsole(terminal.Columns));
        if (result.Gpus.Count > 1) terminal.Out.WriteLine(Gpus(result.Gpus));
    }

    /// <summary>How much of its time each GPU had a stage at work on it, in a sentence.</summary>
    /// <param name="gpus">At least one.</param>
    public static string Gpus(IReadOnlyList<GpuUse> gpus)
    {
        var shares = gpus.Select(gpu => string.Create(CultureInfo.InvariantCulture, $"GPU {gpu.Gpu} {100 * gpu.Share:0.0} %"));
        var atOnce = gpus.Sum(gpu => gpu.Work) / Math.Max(1e-9, gpus.Sum(gpu => gpu.Busy));
        return $"{string.Join(", ", shares)} of the time between its first and last stage with a stage at work on it"
            + string.Create(CultureInfo.InvariantCulture, $", {atOnce:0.0} at once on average; its kernels ran for less");
    }

    /// <summary>What was warned of, in this run or when a cached result was made: the numbers are as doubtful as then.</summary>
    public static void WriteWarnings(TextWriter error, RunResult result) =>
        WarningText.Write(error, result.Stages.Select(stage => (stage.Instance.Name, stage.Warnings)), result.Warnings);

    /// <summary>What failed, why, and which log to read.</summary>
    /// <param name="error">Where to.</param>
    /// <param name="result">The run.</param>
    /// <param name="strict">Whether warnings are failures.</param>
    /// <param name="inWords">Puts a message into the words of a verb; null for those of pipelines.</param>
    public static void WriteFailures(TextWriter error, RunResult result, bool strict, Func<string, string>? inWords = null)
    {
        if (strict && result.Warnings.Count > 0) error.WriteLine($"the run failed: strict, and {Amounts.Of(result.Warnings.Count, "warning")} about the run itself");
        foreach (var stage in result.Stages.Where(stage => stage.State == StageState.Failed))
        {
            error.WriteLine($"{stage.Instance.Name} failed: {(stage.Error is { } why && inWords is not null ? inWords(why) : stage.Error)}");
            if (stage.LogPath is not null) error.WriteLine($"  its log: {stage.LogPath}");
        }
    }

    public static JsonObject Json(RunResult result, RunOutputs outputs) => new([.. Json(result), .. outputs.ToJson()]);

    /// <summary>Texts as JSON.</summary>
    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Json(RunResult result) => new Dictionary<string, JsonNode?>
    {
        ["run"] = result.RunId,
        ["profile"] = result.Plan.Pipeline.Profile?.ToString(),
        ["outcome"] = result.Outcome.ToString().ToLowerInvariant(),
        ["seconds"] = Math.Round(result.Seconds, 3),
        ["warnings"] = Texts(result.Warnings),
        ["gpus"] = RunTrace.Json(result.Gpus),
        ["stages"] = new JsonArray([.. result.Stages.Select(stage => new JsonObject
        {
            ["stage"] = stage.Instance.Name,
            ["uses"] = stage.Instance.Kind.Name,
            ["state"] = stage.State.ToString().ToLowerInvariant(),
            ["key"] = stage.Key?.ToString(),
            ["tree"] = stage.Tree?.ToString(),
            ["seconds"] = stage.Durations is { } durations ? Math.Round(durations.Execute, 3) : null,
            // Of so many stages that went together the seconds are those of all.
            ["together"] = stage.Together,
            ["attempts"] = stage.Attempts,
            ["reasons"] = PlanText.Reasons(stage.Reasons),
            ["metrics"] = stage.Metrics?.DeepClone(),
            ["warnings"] = Texts(stage.Warnings),
            ["gpus"] = new JsonArray([.. stage.Gpus.Select(gpu => (JsonNode)gpu)]),
            ["per-gpu"] = stage.PerGpu,
            ["error"] = stage.Error,
            ["log"] = stage.LogPath,
        })]),
    };

    private static IReadOnlyList<Cell> Row(string name, string uses, IReadOnlyList<StageResult> cells)
    {
        var states = cells.GroupBy(cell => cell.State).OrderBy(group => group.Key).ToArray();
        var executed = cells.Where(cell => cell.Durations is not null).ToArray();
        return
        [
            new TextCell(name), new TextCell(uses), new NumberCell(NumberFormat.Count, cells.Count),
            new TextCell(string.Join(", ", states.Select(state => $"{state.Key.ToString().ToLowerInvariant()}{(states.Length > 1 ? $" {state.Count()}" : "")}"))),
            new TextCell(executed.Length == 0 ? "" : Durations.Show(executed.Sum(cell => cell.OwnSeconds!.Value))),
        ];
    }
}
