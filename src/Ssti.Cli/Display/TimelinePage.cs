using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;

namespace Ssti.Cli.Display;

/// <summary>A run as one HTML page: a timeline and a table, with nothing fetched from anywhere.</summary>
internal static class TimelinePage
{
    public static string Of(PastRun run)
    {
        using var stream = typeof(TimelinePage).Assembly.GetManifestResourceStream("timeline.html")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var slices = RunTrace.Slices(run);
        var parts = new Dictionary<string, string>
        {
            ["title"] = Escape($"{run.Pipeline}, run {run.Id}{Words.Profile(run.Profile)}"),
            ["heading"] = Escape($"{run.Pipeline}, run {run.Id}{Words.Profile(run.Profile)}"),
            ["facts"] = Facts(run, slices),
            ["rows"] = string.Concat(slices.Select(Row)),
            ["rest"] = Rest(run),
            // The default encoder leaves no '<' in it, so that no text can end the script.
            ["data"] = Data(run, slices).ToJsonString(),
        };
        // One pass: what a stage is called cannot be taken for a place in the page.
        var text = new StringBuilder();
        var template = reader.ReadToEnd();
        var at = 0;
        while (template.IndexOf("{{", at, StringComparison.Ordinal) is >= 0 and var open)
        {
            var close = template.IndexOf("}}", open, StringComparison.Ordinal);
            text.Append(template, at, open - at).Append(parts[template[(open + 2)..close]]);
            at = close + 2;
        }

        return text.Append(template, at, template.Length - at).ToString();
    }

    private static string Facts(PastRun run, IReadOnlyList<TraceSlice> slices)
    {
        var busy = slices.Sum(slice => (slice.End - slice.Start) / slice.Stage.Together);
        var wall = run.Seconds ?? slices.Select(slice => slice.End).DefaultIfEmpty().Max();
        var states = run.Stages.GroupBy(stage => stage.State).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Count()} {group.Key}");
        var begun = run.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return $"<b>{Escape(run.Outcome ?? "unfinished")}</b> in <b>{Escape(Durations.Show(wall))}</b>, begun {begun} UTC; "
            + $"{Escape(string.Join(", ", states))}; {Escape(Durations.Show(busy))} of work"
            + (wall > 0 && busy > 0 ? string.Create(CultureInfo.InvariantCulture, $", {busy / wall:0.0} stages at once on average") : "")
            + (GpuUse.Of(run) is { Count: > 0 } gpus ? $"<br>{Escape(RunText.Gpus(gpus))}" : "") + $"<br>{Escape(run.Command)}";
    }

    private static string Row(TraceSlice slice)
    {
        var (stage, durations) = (slice.Stage, slice.Stage.Durations);
        var why = stage.Error is { } error ? $"<span class=\"error\">{Escape(error)}</span>" : Escape(Why(stage));
        return $"<tr class=\"{Escape(stage.State)}\"><td>{Escape(stage.Stage)}</td><td>{Escape(stage.Uses)}</td>"
            + $"<td>{Escape(stage.State)}{Escape(Place(stage))}</td>"
            + Number(slice.Start) + Number(durations?.Queue) + Number(durations?.Fetch) + Number(durations?.Execute ?? slice.End - slice.Start) + Number(durations?.Store)
            + $"<td class=\"why\">{why}</td></tr>\n";
    }

    private static string Rest(PastRun run)
    {
        var others = run.Stages.Where(stage => stage.Started is null).ToList();
        if (others.Count == 0) return "";
        var list = others.Select(stage =>
            $"<tr><td>{Escape(stage.Stage)}</td><td>{Escape(stage.Uses)}</td><td>{Escape(stage.State)}</td><td class=\"why\">{Escape(stage.Error ?? "")}</td></tr>\n");
        return $"<details><summary>{Amounts.Of(others.Count, "stage")} not executed</summary><table>{string.Concat(list)}</table></details>";
    }

    private static JsonObject Data(PastRun run, IReadOnlyList<TraceSlice> slices) => new()
    {
        ["seconds"] = run.Seconds ?? 0,
        ["slices"] = new JsonArray([.. slices.Select(slice => new JsonObject
        {
            ["stage"] = slice.Stage.Stage,
            ["uses"] = slice.Stage.Uses,
            ["state"] = slice.Stage.State,
            ["lane"] = slice.Lane,
            ["start"] = Math.Round(slice.Start, 4),
            ["end"] = Math.Round(slice.End, 4),
            ["durations"] = slice.Stage.Durations is { } d
                ? new JsonObject { ["queue"] = d.Queue, ["fetch"] = d.Fetch, ["execute"] = d.Execute, ["store"] = d.Store } : null,
            ["place"] = Place(slice.Stage),
            ["why"] = Why(slice.Stage),
            ["error"] = slice.Stage.Error,
            ["key"] = slice.Stage.Key?.ToString(),
        })]),
    };

    // Where it was, and with whom: its times are those of all that went together.
    private static string Place(PastStage stage) =>
        (stage.Gpus.Count > 0 ? $", {GpuUse.Words(stage.Gpus, stage.PerGpu)}" : "") + (stage.Together > 1 ? "," : "") + Words.Together(stage.Together);

    private static string Why(PastStage stage) => ReasonText.Join(JournalReasons.Of(stage.Reasons));

    private static string Number(double? seconds) => seconds is { } known
        ? string.Create(CultureInfo.InvariantCulture, $"<td class=\"n\" data-v=\"{known}\">{known:0.00}</td>")
        : "<td class=\"n\" data-v=\"-1\"></td>";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
