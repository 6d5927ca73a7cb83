using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti status</c>: a pipeline in one screen: a row a stage, and its last run.</summary>
internal static class StatusCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("status", "Show how far a pipeline is, a row a stage, and its last run.");
        command.Add(PipelineOptions.Pipeline);
        foreach (var option in (Option[])[.. PipelineOptions.Overrides, PipelineOptions.Question, CommonOptions.Stages,
            CommonOptions.Store]) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var session = PipelineSession.Open(parsed, host);
            var selection = StageSelection.Of(parsed);
            var plan = await session.Runner.PlanAsync(session.Pipeline, selection.Until, cancellation);
            plan = plan with { Stages = [.. plan.Stages.Where(stage => selection.Has(stage.Instance))] };
            var last = new RunHistory(session.Workspace).RunsOf(session.Pipeline.Name, session.Pipeline.Place).FirstOrDefault();
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, Json(plan, last));
            else Write(host.Terminal, plan, last, parsed.GetValue(CommonOptions.Verbose));
            return plan.IsStale && parsed.GetValue(PipelineOptions.Question) ? ExitCodes.Stale : ExitCodes.Done;
        });
        return command;
    }

    // What fits on a screen of 40 lines beside the heading and the summary.
    private const int MostRows = 25;

    private static void Write(Terminal terminal, Plan plan, PastRun? last, bool all)
    {
        var groups = plan.Stages.GroupBy(stage => stage.Instance.Stage).ToList();
        // Of a large pipeline the stages that have something to do, and the first of the others.
        var shown = all || groups.Count <= MostRows ? groups : groups.OrderBy(cells => cells.All(cell => cell.State == PlanState.Cached)).Take(MostRows).ToList();
        var hidden = groups.Except(shown).ToList();
        var cached = hidden.Count(cells => cells.All(cell => cell.State == PlanState.Cached));
        List<string> notes = [.. PlanText.Elsewhere(plan)];
        if (hidden.Count > 0) notes.Insert(0, $"and {Amounts.Of(hidden.Count, "more stage")}, {cached} of them cached: --verbose shows all");
        var rows = shown.Select(cells => (IReadOnlyList<Cell>)
        [
            new TextCell(cells.Key), new TextCell(cells.First().Instance.Kind.Name),
            new NumberCell(NumberFormat.Count, cells.Count()), new NumberCell(NumberFormat.Count, cells.Count(cell => cell.State == PlanState.Cached)),
            new TextCell(cells.FirstOrDefault(cell => cell.State != PlanState.Cached) is { } stale ? ReasonText.Join(stale.Reasons) : ""),
        ]);
        var table = new Table(
            plan.Pipeline.Name + Words.Profile(plan.Pipeline.Profile?.ToString())
                + (plan.Pipeline.Description is { } description ? $": {description.ReplaceLineEndings(" ").Trim()}" : ""),
            [new("stage", "stage", Align.Left), new("uses", "uses", Align.Left), new("cells", "cells"), new("cached", "cached"), new("why", "first to run, because", Align.Left)],
            [.. rows],
            notes);
        terminal.Out.WriteLine(table.ToConsole(terminal.Columns));
        terminal.Out.WriteLine(PlanText.Summary(plan));
        terminal.Out.WriteLine(last is null ? "no run yet" : Told(plan.Pipeline, last));
    }

    private static string Told(Pipeline pipeline, PastRun last) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(last.IsOf(pipeline.Name, pipeline.Place) ? "" : $"no run of this file yet; of another pipeline of its name ({last.Place}): ")}"
        + $"last run {last.Id}{Words.Profile(last.Profile)} at {last.At:yyyy-MM-dd HH:mm}: "
        + $"{last.Outcome ?? "unfinished"}{(last.Seconds is { } seconds ? $" in {Durations.Show(seconds)}" : "")}");

    private static JsonObject Json(Plan plan, PastRun? last)
    {
        var json = PlanText.Json(plan);
        json["last-run"] = last is null
            ? null
            : new JsonObject
            {
                ["run"] = last.Id, ["place"] = last.Place, ["profile"] = last.Profile, ["at"] = last.At, ["outcome"] = last.Outcome,
                ["seconds"] = last.Seconds,
            };
        return json;
    }
}
