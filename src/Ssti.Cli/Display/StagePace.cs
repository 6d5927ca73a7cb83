using System.Globalization;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>How far a stage at work is and how fast it goes, from what it reports.</summary>
/// <param name="time">The clock.</param>
/// <param name="expected">How long it may take in all, in seconds, or null.</param>
internal sealed class StagePace(TimeProvider time, double? expected)
{
    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();

    // The first report of this attempt, for the pace: what a checkpoint had done before is not its work. What the last line told, for how fast it goes now.
    private Report? _first, _since, _told, _last;

    /// <summary>Takes note of a report.</summary>
    public void Take(StageProgress progress)
    {
        lock (_lock)
        {
            var now = new Report(time.GetTimestamp(), progress);
            // Another attempt, or another phase, begins again.
            if (_last is null || _last.Progress.Unit != progress.Unit || progress.Done < _last.Progress.Done) _first = _since = now;
            _last = now;
        }
    }

    /// <summary><c>120/900 updates, loss 0.512, 84 rows/s, 1 min 30 s, ~9 min 20 s left</c>, or <c>still at work, 1 min 30 s</c>.</summary>
    public string Line()
    {
        lock (_lock)
        {
            var sofar = time.GetElapsedTime(_began).TotalSeconds;
            if (_last is null) return $"still at work, {Durations.Show(sofar)}{Left(expected - sofar)}";
            var progress = _last.Progress;
            var done = string.Create(CultureInfo.InvariantCulture, $"{progress.Done}{(progress.Total is { } total ? $"/{total}" : "")} {progress.Unit}");
            var line = $"{(_last == _told ? "still at " : "")}{done}{(progress.Note is { Length: > 0 } note ? $", {note}" : "")}"
                + $"{RowRate()}, {Durations.Show(sofar)}{Left(Remaining() ?? (expected - sofar))}";
            _since = _told = _last;
            return line;
        }
    }

    private string RowRate()
    {
        var seconds = time.GetElapsedTime(_since!.At, _last!.At).TotalSeconds;
        if (_last.Rows - _since.Rows is not (> 0 and var rows) || seconds <= 0) return "";
        return $", {(rows / seconds).ToString(rows / seconds < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture)} rows/s";
    }

    private double? Remaining()
    {
        var (seconds, done) = (time.GetElapsedTime(_first!.At, _last!.At).TotalSeconds, _last.Progress.Done - _first.Progress.Done);
        // With all units done it has something else to do, of which no pace tells.
        if (_last.Progress.Total is not { } total || done <= 0 || seconds <= 0 || _last.Progress.Done >= total) return null;
        return ((total - _last.Progress.Done) * seconds / done) - time.GetElapsedTime(_last.At).TotalSeconds;
    }

    private static string Left(double? seconds) => seconds switch { null => "", <= 0 => ", longer than expected", { } left => $", ~{Durations.Show(left)} left" };

    private sealed record Report(long At, StageProgress Progress)
    {
        public double? Rows => Progress.Rows ?? (Progress.Unit == "rows" ? Progress.Done : null);
    }
}
