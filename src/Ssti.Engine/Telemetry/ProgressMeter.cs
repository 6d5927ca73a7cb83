using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Telemetry;

/// <summary>Turns what a stage reports while it works into measurements. The clock is kept here, since stages have none.</summary>
internal sealed class ProgressMeter : IDisposable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.25);

    private readonly TimeProvider _time;
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly KeyValuePair<string, object?> _uses;
    private readonly Lock _lock = new();
    private long _since;
    private long _rows;

    /// <summary>Begins with an attempt.</summary>
    public ProgressMeter(WorkOrder order, TimeProvider time)
    {
        (_time, _since) = (time, time.GetTimestamp());
        _uses = new("ssti.stage.uses", order.Kind.Name);
        _tags = [new("ssti.stage.name", order.Stage), _uses];
        EngineTelemetry.Running.Add(1, _uses);
    }

    /// <summary>Takes a report. May be called from several threads.</summary>
    public void Report(StageProgress progress)
    {
        if (progress.Loss is { } loss) EngineTelemetry.Loss.Record(loss, _tags);
        if (progress.DeviceMemory is { } bytes) EngineTelemetry.DeviceMemory.Record(bytes, _tags);
        if ((progress.Rows ?? (progress.Unit == "rows" ? progress.Done : null)) is not { } rows) return;
        lock (_lock)
        {
            var elapsed = _time.GetElapsedTime(_since);
            if (rows <= _rows || (elapsed < Shortest && progress.Done != progress.Total)) return;
            EngineTelemetry.Rows.Add(rows - _rows, _uses);
            // Several reports within one tick of the clock would be an infinite rate.
            if (elapsed > TimeSpan.Zero) EngineTelemetry.RowRate.Record((rows - _rows) / elapsed.TotalSeconds, _tags);
            (_rows, _since) = (rows, _time.GetTimestamp());
        }
    }

    /// <summary>Ends with the attempt, however it ended.</summary>
    public void Dispose() => EngineTelemetry.Running.Add(-1, _uses);
}
