using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Engine.Records;

/// <summary>A stage in the time of its run.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Lane">From 0; what shares a lane did not run at the same time.</param>
/// <param name="Start">Seconds after the run began.</param>
/// <param name="End">Likewise, when it was over.</param>
public sealed record TraceSlice(PastStage Stage, int Lane, double Start, double End);

/// <summary>A run as Chrome trace events, for chrome://tracing, Perfetto or speedscope.</summary>
public static class RunTrace
{
    /// <summary>
    /// What was begun, whether it ended well or not, in as few lanes as ran at once. Cached stages take no time and are left out.
    /// </summary>
    public static IReadOnlyList<TraceSlice> Slices(PastRun run)
    {
        var free = new List<double>();
        var slices = new List<TraceSlice>();
        foreach (var stage in run.Stages.Where(s => s.Started is not null).OrderBy(s => s.Started))
        {
            var start = stage.Started!.Value;
            // A journal of a killed run, or of an older version, says less: then the phases say how long it took, or nothing does.
            var end = stage.Durations is { } d ? start + d.Fetch + d.Execute + d.Store : start;
            end = Math.Max(end, stage.Ended ?? start);
            var lane = free.FindIndex(until => until <= start);
            if (lane < 0)
            {
                lane = free.Count;
                free.Add(0);
            }

            free[lane] = end;
            slices.Add(new TraceSlice(stage, lane, start, end));
        }

        return slices;
    }

    /// <summary>
    /// The trace: a slice a stage, with slices for fetch, execute and store within it where it was executed to its end. Times are microseconds since the run began.
    /// </summary>
    public static JsonObject Of(PastRun run)
    {
        var events = new JsonArray { Name("process_name", 0, $"{run.Pipeline} {run.Id}") };
        var slices = Slices(run);
        foreach (var lane in slices.Select(s => s.Lane).Distinct().Order()) events.Add(Name("thread_name", lane + 1, $"lane {lane + 1}"));
        foreach (var (stage, lane, start, end) in slices)
        {
            var slice = Slice(stage.Stage, stage.Uses, lane, start, end - start, new JsonObject
            {
                ["state"] = stage.State,
                ["key"] = stage.Key?.ToString(),
                ["queued"] = stage.Durations?.Queue,
                ["error"] = stage.Error,
                ["gpus"] = stage.Gpus.Count > 0 ? new JsonArray([.. stage.Gpus.Select(gpu => (JsonNode)gpu)]) : null,
                ["perGpu"] = stage.PerGpu > 1 ? stage.PerGpu : null,
                // The slice is then as long as all of them took.
                ["together"] = stage.Together > 1 ? stage.Together : null,
                ["warnings"] = stage.Warnings.Count > 0 ? new JsonArray([.. stage.Warnings.Select(warning => (JsonNode)warning)]) : null,
                ["reasons"] = stage.Reasons?.DeepClone(),
            });
            // The names of Chrome's own palette: what failed is to be seen from afar.
            if (stage.State is "failed" or "cancelled") slice["cname"] = stage.State == "failed" ? "terrible" : "grey";
            events.Add(slice);
            if (stage.Durations is not { } durations) continue;
            var at = start;
            foreach (var (name, seconds) in (ReadOnlySpan<(string, double)>)[("fetch", durations.Fetch), ("execute", durations.Execute), ("store", durations.Store)])
            {
                events.Add(Slice(name, "phase", lane, at, seconds, null));
                at += seconds;
            }
        }

        var trace = new JsonObject { ["displayTimeUnit"] = "ms", ["traceEvents"] = events };
        if (GpuUse.Of(run) is { Count: > 0 } gpus) trace["otherData"] = new JsonObject { ["gpus"] = Json(gpus) };
        return trace;
    }

    /// <summary>How much of their time GPUs had a stage at work on them, for programs; seconds since the run began.</summary>
    public static JsonArray Json(IReadOnlyList<GpuUse> gpus) => new([.. gpus.Select(gpu => new JsonObject
    {
        ["gpu"] = gpu.Gpu, ["stages"] = gpu.Stages, ["first"] = Math.Round(gpu.First, 3), ["last"] = Math.Round(gpu.Last, 3),
        ["busy"] = Math.Round(gpu.Busy, 3), ["share"] = Math.Round(gpu.Share, 4), ["atOnce"] = Math.Round(gpu.AtOnce, 2),
    })]);

    /// <summary>The trace as text.</summary>
    public static string Write(PastRun run) => Of(run).ToJsonString(new JsonSerializerOptions { WriteIndented = false }) + "\n";

    private static JsonObject Name(string what, int lane, string name) =>
        new() { ["ph"] = "M", ["name"] = what, ["pid"] = 1, ["tid"] = lane, ["args"] = new JsonObject { ["name"] = name } };

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
