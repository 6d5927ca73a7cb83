using Ssti.Engine.Running;

namespace Ssti.Engine.Records;

/// <summary>How much of its time in a run a GPU had a stage at work on it.</summary>
/// <remarks>
/// A stage at work on a GPU also reads, loads and writes: this says how well the run kept its GPUs supplied with stages. How long their
/// kernels ran is less, and what
/// <c>nvidia-smi</c> is for.
/// </remarks>
/// <param name="Gpu">Its number.</param>
/// <param name="Stages">How many stages were at work on it.</param>
/// <param name="First">When the first of them began, in seconds after the run began.</param>
/// <param name="Last">When the last of them was over, likewise.</param>
/// <param name="Busy">Seconds in which there was one at least: the union of their times.</param>
/// <param name="Work">Seconds of all of them added up, of stages that went together once: more than <paramref name="Busy"/> where they
/// shared it.</param>
public sealed record GpuUse(int Gpu, int Stages, double First, double Last, double Busy, double Work)
{
    /// <summary>
    /// The share of the time between the beginning of its first and the end of its last stage in which a stage was at work on it, from 0
    /// to 1.
    /// </summary>
    public double Share => Last > First ? Math.Min(1, Busy / (Last - First)) : 1;

    /// <summary>How many stages were at work on it at once, on average over the time in which there was one.</summary>
    public double AtOnce => Busy > 0 ? Work / Busy : 1;

    /// <summary>
    /// That of every GPU of a run, in the order of their numbers; none where stages were executed on other machines, whose GPUs have the
    /// same numbers.
    /// </summary>
    public static IReadOnlyList<GpuUse> Of(PastRun run) => run.IsElsewhere ? []
        : Of(RunTrace.Slices(run).Select(slice => new Time(slice.Stage.Gpus, slice.Start, slice.End, slice.Stage.Together)));

    /// <inheritdoc cref="Of(PastRun)"/>
    internal static IReadOnlyList<GpuUse> Of(IEnumerable<StageResult> stages) => Of(stages
        .Where(stage => stage is { StartedAt: not null, EndedAt: not null })
        .Select(stage => new Time(stage.Gpus, stage.StartedAt!.Value, stage.EndedAt!.Value, stage.Together)));

    /// <summary>What GPUs are called where a stage is told of: <c>GPU 0, 1</c>, and who else may have had them.</summary>
    /// <param name="gpus">Their numbers; at least one.</param>
    /// <param name="perGpu">How many stages had each at most.</param>
    public static string Words(IReadOnlyList<int> gpus, int perGpu) =>
        $"GPU {string.Join(", ", gpus)}{(perGpu > 1 ? $", shared by up to {perGpu} stages" : "")}";

    private static GpuUse[] Of(IEnumerable<Time> times) =>
    [
        .. times.SelectMany(time => time.Gpus.Select(gpu => (Gpu: gpu, Time: time)))
            .GroupBy(one => one.Gpu, one => one.Time).OrderBy(gpu => gpu.Key).Select(gpu => Of(gpu.Key, [.. gpu.OrderBy(time => time.Start)])),
    ];

    private static GpuUse Of(int gpu, Time[] times)
    {
        var (busy, until) = (0.0, times[0].Start);
        foreach (var time in times)
        {
            busy += Math.Max(0, time.End - Math.Max(time.Start, until));
            until = Math.Max(until, time.End);
        }

        return new GpuUse(gpu, times.Length, times[0].Start, until, busy, times.Sum(time => (time.End - time.Start) / time.Together));
    }

    private readonly record struct Time(IReadOnlyList<int> Gpus, double Start, double End, int Together);
}
