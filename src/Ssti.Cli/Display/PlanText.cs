using System.Text.Json.Nodes;
using Ssti.Engine.Planning;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>A plan for people and for programs.</summary>
internal static class PlanText
{
    public static void Write(Terminal terminal, Plan plan, bool verbose)
    {
        var shown = plan.Stages.Where(stage => verbose || stage.State != PlanState.Cached).ToArray();
        if (shown.Length > 0)
        {
            var table = new Table(
                $"Plan of {plan.Pipeline.Name}{Words.Profile(plan.Pipeline.Profile?.ToString())}",
                [new("stage", "stage", Align.Left), new("plan", "plan", Align.Left), new("estimate", "estimate", Align.Left), new("why", "why", Align.Left)],
                [.. shown.Select(stage => (IReadOnlyList<Cell>)
                [
                    new TextCell(stage.Instance.Name), new TextCell(stage.State.ToString().ToLowerInvariant()),
                    new TextCell(stage.State == PlanState.Run ? Durations.Estimate(stage.Estimate?.Seconds, stage.Estimate?.Runs ?? 0) : ""),
                    new TextCell(ReasonText.Join(stage.Reasons)),
                ])],
                [.. Elsewhere(plan)]);
            terminal.Out.WriteLine(table.ToConsole(terminal.Columns));
        }

        SourceText.Write(terminal, plan.Pipeline);
        terminal.Out.WriteLine(Summary(plan));
    }

    /// <summary>What is odd about the store, and what cached stages warned of when they were made.</summary>
    public static void WriteWarnings(TextWriter error, Plan plan) =>
        WarningText.Write(error, plan.Stages.Select(stage => (stage.Instance.Name, WarningsOf(stage))), plan.Warnings);

    // Of a stage that runs again, what it said before is over.
    private static IReadOnlyList<string> WarningsOf(PlannedStage stage) => stage is { State: PlanState.Cached, Hit: { } hit } ? hit.Warnings : [];

    /// <summary>Whose results the reasons compare with, where those are another pipeline's of the same name: a line for each.</summary>
    public static IEnumerable<string> Elsewhere(Plan plan) => plan.Stages.Select(stage => stage.Elsewhere?.Place).OfType<string>().Distinct()
        .Select(place => $"never run from this file: the reasons compare with {place}, another pipeline of this name");

    /// <summary>One line: how much is cached, how much has to run, and how long that may take.</summary>
    public static string Summary(Plan plan)
    {
        var cached = plan.Stages.Count(stage => stage.State == PlanState.Cached);
        var blocked = plan.Stages.Count(stage => stage.State == PlanState.Blocked);
        var run = plan.Stages.Where(stage => stage.State == PlanState.Run).ToArray();
        var text = $"{Amounts.Of(plan.Stages.Count, "stage")}: {cached} cached, {run.Length} to run{(blocked > 0 ? $", {blocked} blocked" : "")}";
        if (run.Length == 0) return text;
        var known = run.Where(stage => stage.Estimate is not null).ToArray();
        var time = known.Length == 0 ? "unknown" : Durations.Estimate(known.Sum(stage => stage.Estimate!.Seconds), known.Min(stage => stage.Estimate!.Runs));
        return $"{text}; work: {time}{(known.Length > 0 ? Durations.Unknown(run.Length - known.Length) : "")}";
    }

    public static JsonObject Json(Plan plan) => new()
    {
        ["pipeline"] = plan.Pipeline.Name,
        ["profile"] = plan.Pipeline.Profile?.ToString(),
        ["profiles"] = new JsonObject(plan.Pipeline.Profiles.Select(profile => KeyValuePair.Create(profile.Key, (JsonNode?)profile.Value))),
        ["stale"] = plan.IsStale,
        ["warnings"] = RunText.Texts(plan.Warnings),
        ["sources"] = SourceText.Json(plan.Pipeline),
        ["stages"] = new JsonArray([.. plan.Stages.Select(stage => new JsonObject
        {
            ["stage"] = stage.Instance.Name,
            ["uses"] = stage.Instance.Kind.Name,
            ["state"] = stage.State.ToString().ToLowerInvariant(),
            ["key"] = stage.Key?.ToString(),
            ["tree"] = stage.State == PlanState.Cached ? stage.Hit?.Tree.ToString() : null,
            ["estimate"] = stage.Estimate is { } estimate ? new JsonObject { ["seconds"] = estimate.Seconds, ["runs"] = estimate.Runs } : null,
            ["warnings"] = RunText.Texts(WarningsOf(stage)),
            ["reasons"] = Reasons(stage.Reasons),
        })]),
    };

    public static JsonArray Reasons(IReadOnlyList<Reason> reasons) => new([.. reasons.Select(reason => new JsonObject
    {
        ["kind"] = Kebab(reason.Kind.ToString()),
        ["field"] = reason.Field,
        ["old"] = reason.Old,
        ["new"] = reason.New,
        ["detail"] = reason.Detail,
        ["text"] = reason.ToString(),
    })]);

    private static string Kebab(string name) =>
        string.Concat(name.Select((c, index) => char.IsUpper(c) && index > 0 ? $"-{char.ToLowerInvariant(c)}" : char.ToLowerInvariant(c).ToString()));
}
