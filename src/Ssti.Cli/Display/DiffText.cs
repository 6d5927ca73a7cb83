using System.Globalization;
using Ssti.Engine.Records;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>What differs between two runs, as tables for a terminal or for Markdown.</summary>
internal static class DiffText
{
    // A large matrix differs in thousands of numbers; what is left out is counted.
    private const int MostRows = 40;

    public static void Write(TextWriter output, RunDifference difference, IReadOnlyList<TableDifferences> tables, bool markdown, bool all)
    {
        // What only one run has is named, and no more: there is nothing to compare its numbers with.
        var both = difference.Stages.Where(InBoth).ToArray();
        var parts = new List<Table>();
        Add(parts, "Parameters", ["parameter", "before", "after"], [.. difference.Parameters.Select(p => Row(p.Name, p.Before, p.After))], all);
        Add(parts, "Stages", ["stage", "before", "after", "because", "files"], [.. difference.Stages.Select(Stage)], all);
        Add(parts, "Metrics", ["stage", "metric", "before", "after", "change"],
            [.. both.SelectMany(stage => stage.Metrics.Select(m => Row(stage.Stage, m.Name, m.Before, m.After, Change(m.Before, m.After))))], all);
        foreach (var table in tables.Where(table => both.Any(stage => stage.Stage == table.Stage)))
            Add(parts, $"{table.Stage}: {table.Title}", ["row", "column", "before", "after"], [.. table.Cells.Select(c => Row(c.Row, c.Column, c.Before, c.After))], all);

        output.WriteLine(markdown ? $"# {Name(difference.Before)} → {Name(difference.After)}\n" : $"{Name(difference.Before)} → {Name(difference.After)}\n");
        foreach (var part in parts) output.WriteLine(markdown ? part.ToMarkdown() : part.ToConsole());
        output.WriteLine(difference.Stages.Count == 0 && difference.Parameters.Count == 0
            ? $"nothing differs: {Amounts.Of(difference.Same, "stage")} with equal keys and outputs"
            : $"{Amounts.Of(both.Length, "stage")} {(both.Length == 1 ? "differs" : "differ")}, {difference.Same} equal"
                + OnlyIn(difference.Before, difference.Stages.Count(stage => stage.After is null))
                + OnlyIn(difference.After, difference.Stages.Count(stage => stage.Before is null)));
    }

    private static bool InBoth(StageDifference stage) => stage is { Before: not null, After: not null };

    private static string OnlyIn(PastRun run, int stages) => stages == 0 ? "" : $", {stages} only in {run.Id}";

    private static string Name(PastRun run) =>
        string.Create(CultureInfo.InvariantCulture, $"run {run.Id} ({run.Pipeline}{Words.Profile(run.Profile)}, {run.At.ToUniversalTime():yyyy-MM-dd HH:mm} UTC, {run.Outcome ?? "unfinished"})");

    private static IReadOnlyList<Cell> Stage(StageDifference stage) => Row(
        stage.Stage, stage.Before ?? "not in it", stage.After ?? "not in it",
        ReasonText.Join(stage.Causes) is { Length: > 0 } causes ? causes : InBoth(stage) ? "equal keys, other outputs or ending" : "",
        stage.Files.Count == 0 || !InBoth(stage) ? "" : stage.Files.Count == 1 ? stage.Files[0].Path : $"{stage.Files.Count} differ");

    private static string? Change(string? before, string? after) =>
        double.TryParse(before, NumberStyles.Float, CultureInfo.InvariantCulture, out var a)
            && double.TryParse(after, NumberStyles.Float, CultureInfo.InvariantCulture, out var b)
            ? (b - a).ToString("+0.####;-0.####;0", CultureInfo.InvariantCulture)
            : null;

    private static IReadOnlyList<Cell> Row(params ReadOnlySpan<string?> cells)
    {
        var row = new List<Cell>();
        foreach (var cell in cells) row.Add(new TextCell(Shorten(cell ?? "–")));
        return row;
    }

    private static string Shorten(string text) => text.Length > 140 ? text[..139] + "…" : text;

    private static void Add(List<Table> parts, string title, string[] columns, IReadOnlyList<IReadOnlyList<Cell>> rows, bool all)
    {
        if (rows.Count == 0) return;
        var shown = all ? rows : [.. rows.Take(MostRows)];
        string[] notes = shown.Count < rows.Count ? [$"and {rows.Count - shown.Count} more: --verbose shows all, --json too"] : [];
        parts.Add(new Table(title, [.. columns.Select(column => new Column(column, column, Align.Left))], [.. shown], notes));
    }
}
