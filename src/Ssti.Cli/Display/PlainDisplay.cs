using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>
/// A line for each stage that starts and ends, and one every half a minute for each that is at work: for logs, pipes and CI, where a redrawn bar would be noise
/// and silence would look like death.
/// </summary>
internal sealed class PlainDisplay(TextWriter output, bool quiet, TimeProvider time) : IRunDisplay
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (StagePace Pace, ITimer Timer)> _stages = [];

    public void Started(string stage, Expected expected)
    {
        Write($"{stage}: started, estimate {expected}", quiet);
        if (quiet) return;
        var pace = new StagePace(time, expected.Seconds);
        var timer = time.CreateTimer(_ => Write($"{stage}: {pace.Line()}", skip: false), null, Every, Every);
        lock (_gate)
        {
            // A stage that waits for what it needs to be rebuilt starts twice.
            if (_stages.Remove(stage, out var before)) before.Timer.Dispose();
            _stages[stage] = (pace, timer);
        }
    }

    public void Progress(string stage, StageProgress progress)
    {
        StagePace? pace;
        lock (_gate) pace = _stages.GetValueOrDefault(stage).Pace;
        pace?.Take(progress);
    }

    public void Finished(string stage, string line)
    {
        lock (_gate)
            if (_stages.Remove(stage, out var over)) over.Timer.Dispose();
        Write($"{stage}: {line}", quiet);
    }

    public void Info(string text) => Write(text, quiet);

    public void Warn(string text) => Write(text, skip: false);

    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            foreach (var stage in _stages.Values) stage.Timer.Dispose();
            _stages.Clear();
        }

        return ValueTask.CompletedTask;
    }

    private void Write(string line, bool skip)
    {
        if (skip) return;
        lock (_gate) output.WriteLine(line);
    }
}
