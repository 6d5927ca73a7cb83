using System.Globalization;
using Ssti.Engine.Records;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>What differs between runs, a column a run, as tables for a terminal or for Markdown.</summary>
internal sealed class DiffText(RunDifference difference, OutputDifferences outputs, bool all)
{
    // A large matrix differs in thousands of numbers; what is left out is counted.
    private const int MostRows = 40;
    private readonly List<Table> _parts = [];

    // Between two there is a change to tell.
    private bool IsPair => difference.Runs.Count == 2;

    public void Write(Terminal terminal, bool markdown)
    {
        // What only one run has is named, and no more: there is nothing to compare its numbers with.
        var shared = difference.Stages.Where(stage => stage.IsShared).ToArray();
        var told = outputs.Measures.Select(measure => measure.Stage).Concat(outputs.Claims.Select(claim => claim.Stage)).ToHashSet();
        Add("Parameters", ["parameter"], [], difference.Parameters.Select(value => Row([value.Name], value.Values)));
        Add(
            "Claims", ["stage", "claim"], [],
            outputs.Claims.Select(
                claim => Row([claim.Stage, claim.Sentence], claim.Verdicts.Select(verdict => verdict is { } known ? ClaimText.Words(known) : null))));
        foreach (var table in outputs.Tables)
            Add($"{table.Stage}: {table.Title}", ["row", "column"], [], table.Cells.Select(cell => Row([cell.Row, cell.Column], cell.Values)));
        Add("Measures", ["stage", "measure"], IsPair ? ["change"] : [], outputs.Measures.Select(measure =>
            Row([measure.Stage, measure.Name], Shown(measure), IsPair ? [Change(measure.Values[0]?.Value, measure.Values[1]?.Value)] : [])));
        // What a stage measures or decides is not told once more as a fact of its record.
        Add("Metrics", ["stage", "metric"], IsPair ? ["change"] : [], shared.Where(stage => !told.Contains(stage.Stage)).SelectMany(stage => stage.Metrics.Select(metric =>
            Row([stage.Stage, metric.Name], metric.Values, IsPair ? [Change(Number(metric.Values[0]), Number(metric.Values[1]))] : []))));
        Add("Stages", ["stage"], ["because", "files"], difference.Stages.Select(Stage));

        var output = terminal.Out;
        output.WriteLine(Heading(markdown) + "\n");
        foreach (var part in _parts) output.WriteLine(markdown ? part.ToMarkdown() : part.ToConsole(terminal.Columns));
        var lone = difference.Runs.Index().Select(run => (run.Item.Id, Count: difference.Stages.Count(stage => !stage.IsShared && stage.Runs[run.Index] is not null)));
        output.WriteLine(difference.Stages.Count == 0 && difference.Parameters.Count == 0
            ? $"nothing differs: {Amounts.Of(difference.Same, "stage")} with equal keys and outputs"
            : $"{Amounts.Of(shared.Length, "stage")} {(shared.Length == 1 ? "differs" : "differ")}, {difference.Same} equal"
                + string.Concat(lone.Where(run => run.Count > 0).Select(run => $", {run.Count} only in {run.Id}")));
    }

    private string Heading(bool markdown)
    {
        var names = difference.Runs.Select(run => string.Create(CultureInfo.InvariantCulture,
            $"run {run.Id} ({run.Pipeline}{Words.Profile(run.Profile)}, {run.At.ToUniversalTime():yyyy-MM-dd HH:mm} UTC, {run.Outcome ?? "unfinished"})")).ToArray();
        if (IsPair) return (markdown ? "# " : "") + string.Join(" → ", names);
        return markdown ? $"# {names.Length} runs\n\n{string.Join('\n', names.Select(name => $"- {name}"))}" : string.Join('\n', names);
    }

    private static IEnumerable<string?> Shown(MeasureDifference measure)
    {
        string?[] shown = [.. measure.Values.Select(reading => Show(reading, measure.Described))];
        // Two that differ must not look alike.
        var alike = measure.Values.Zip(shown).GroupBy(pair => pair.Second).Any(same => same.Select(pair => pair.First).Distinct().Count() > 1);
        return alike ? measure.Values.Select(reading => reading is null ? null : Exact(reading)) : shown;
    }

    private static string? Show(Reading? reading, NamedMeasure described) => reading switch
    {
        null => null,
        { Value: { } value } =>
            new NumberCell(
                described.Format, value,
                Spread: reading.Interval95 is { } ends ? new Spread(SpreadKind.Confidence, ends.Low, ends.High) : null).ToString(),
        _ => $"none: {reading.Reason}",
    };

    private static string Exact(Reading reading) => string.Create(CultureInfo.InvariantCulture, $"{reading.Value:R} of {reading.Rows} rows");

    private static string? Change(double? before, double? after) =>
        after - before is { } change ? change.ToString("+0.####;-0.####;0", CultureInfo.InvariantCulture) : null;

    private static double? Number(string? json) => double.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static IReadOnlyList<Cell> Stage(StageDifference stage) => Row(
        [stage.Stage], stage.Runs.Select(run => run is null ? "not in it" : run.Key is { } key ? $"{run.State} {key.Short}" : run.State),
        [
            ReasonText.Join(stage.Causes) is { Length: > 0 } causes ? causes : stage.IsShared ? "equal keys, other outputs or ending" : "",
            stage.Files.Count == 0 || !stage.IsShared ? "" : stage.Files.Count == 1 ? stage.Files[0].Path : $"{stage.Files.Count} differ",
        ]);

    private static IReadOnlyList<Cell> Row(IEnumerable<string> names, IEnumerable<string?> values, IEnumerable<string?>? more = null) =>
        [.. names.Concat(values).Concat(more ?? []).Select(cell => new TextCell(Shorten(cell ?? "–")))];

    private static string Shorten(string text) => text.Length > 140 ? text[..139] + "…" : text;

    private void Add(string title, string[] names, string[] more, IEnumerable<IReadOnlyList<Cell>> rows)
    {
        IReadOnlyList<Cell>[] every = [.. rows];
        if (every.Length == 0) return;
        var shown = all ? every : [.. every.Take(MostRows)];
        string[] notes = shown.Length < every.Length ? [$"and {every.Length - shown.Length} more: --verbose shows all, --json too"] : [];
        _parts.Add(new Table(title, [.. names.Concat(difference.Runs.Select(run => run.Id)).Concat(more).Select(column => new Column(column, column, Align.Left))], shown, notes));
    }
}
