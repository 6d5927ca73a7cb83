using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Engine.Records;

/// <summary>A run as Chrome trace events, for chrome://tracing, Perfetto or speedscope.</summary>
public static class RunTrace
{
    /// <summary>
    /// The trace: a slice a stage, with slices for fetch, execute and store within it, in as few lanes as ran at once. Times are microseconds since the run began.
    /// Cached stages take no time and are left out.
    /// </summary>
    public static JsonObject Of(PastRun run)
    {
        var events = new JsonArray { new JsonObject { ["ph"] = "M", ["name"] = "process_name", ["pid"] = 1, ["args"] = new JsonObject { ["name"] = $"{run.Pipeline} {run.Id}" } } };
        var free = new List<double>();
        foreach (var stage in run.Stages.Where(s => s is { Started: not null, Durations: not null }).OrderBy(s => s.Started))
        {
            var (start, durations) = (stage.Started!.Value, stage.Durations!);
            var total = durations.Fetch + durations.Execute + durations.Store;
            var lane = free.FindIndex(end => end <= start);
            if (lane < 0)
            {
                lane = free.Count;
                free.Add(0);
            }

            free[lane] = start + total;
            events.Add(Slice(stage.Stage, stage.Uses, lane, start, total, new JsonObject
            {
                ["state"] = stage.State,
                ["key"] = stage.Key?.ToString(),
                ["queued"] = durations.Queue,
                ["reasons"] = stage.Reasons?.DeepClone(),
            }));
            var at = start;
            foreach (var (name, seconds) in (ReadOnlySpan<(string, double)>)[("fetch", durations.Fetch), ("execute", durations.Execute), ("store", durations.Store)])
            {
                events.Add(Slice(name, "phase", lane, at, seconds, null));
                at += seconds;
            }
        }

        return new JsonObject { ["displayTimeUnit"] = "ms", ["traceEvents"] = events };
    }

    /// <summary>The trace as text.</summary>
    public static string Write(PastRun run) => Of(run).ToJsonString(new JsonSerializerOptions { WriteIndented = false }) + "\n";

    private static JsonObject Slice(string name, string category, int lane, double start, double seconds, JsonObject? more)
    {
        var slice = new JsonObject
        {
            ["name"] = name, ["cat"] = category, ["ph"] = "X", ["pid"] = 1, ["tid"] = lane + 1,
            ["ts"] = Math.Round(start * 1e6), ["dur"] = Math.Round(seconds * 1e6),
        };
        if (more is not null) slice["args"] = more;
        return slice;
    }
}
