using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Ssti.Engine.Telemetry;

/// <summary>
/// What the engine tells of itself, by the means of the base library alone: spans from the source and measurements from the meter that are both named
/// <see cref="Name"/>. Nobody listens unless the process was composed so, and then neither costs anything.
/// </summary>
/// <remarks>
/// A run is one trace: a span for the run, under it one for each stage, under that one for each attempt to execute it. An attempt is made below whatever
/// <see cref="Activity.Current"/> is, so that a stage that is executed in another process stays in the trace as long as the call carries the context along.
/// </remarks>
public static class EngineTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Ssti.Engine";

    private static readonly string? Version = typeof(EngineTelemetry).Assembly.GetName().Version?.ToString(3);
    private static readonly Meter Meter = new(Name, Version);

    internal static ActivitySource Source { get; } = new(Name, Version);

    internal static Counter<long> Stages { get; } = Meter.CreateCounter<long>("ssti.stages", "{stage}", "Stages that came to their end, by state.");

    internal static UpDownCounter<long> Running { get; } = Meter.CreateUpDownCounter<long>("ssti.stages.running", "{stage}", "Stages that are being executed.");

    internal static Histogram<double> QueueTime { get; } =
        Meter.CreateHistogram<double>("ssti.stage.queue.duration", "s", "From all inputs being there to the begin of execution.", advice: Seconds());

    internal static Histogram<double> ExecuteTime { get; } =
        Meter.CreateHistogram<double>("ssti.stage.execute.duration", "s", "The stage's own work, without fetching and storing.", advice: Seconds());

    internal static Histogram<double> RunTime { get; } = Meter.CreateHistogram<double>("ssti.run.duration", "s", "Whole runs, by outcome.", advice: Seconds());

    internal static Counter<long> Rows { get; } = Meter.CreateCounter<long>("ssti.stage.rows", "{row}", "Rows that stages worked through.");

    internal static Gauge<double> RowRate { get; } = Meter.CreateGauge<double>("ssti.stage.rows.rate", "{row}/s", "Rows a second, as of the stage's last report.");

    internal static Gauge<double> Loss { get; } = Meter.CreateGauge<double>("ssti.training.loss", "nat", "Loss of the last update that was reported.");

    internal static Gauge<long> DeviceMemory { get; } =
        Meter.CreateGauge<long>("ssti.device.memory.used", "By", "Memory in use on the device that a stage computes on, by whomever.");

    // From a stage that copies a file to one that trains through the night.
    private static InstrumentAdvice<double> Seconds() =>
        new() { HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 60, 300, 900, 3600, 14400, 43200] };
}
