using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>A line for each stage that starts and ends: for logs, pipes and CI, where a redrawn bar would be noise.</summary>
internal sealed class PlainDisplay(TextWriter output, bool quiet) : IRunDisplay
{
    private readonly Lock _gate = new();

    public void Started(string stage, double? seconds, int runs) => Write($"{stage}: started, estimate {Durations.Estimate(seconds, runs)}", quiet);

    public void Progress(string stage, StageProgress progress)
    {
    }

    public void Finished(string stage, string line) => Write($"{stage}: {line}", quiet);

    public void Info(string text) => Write(text, quiet);

    public void Warn(string text) => Write(text, skip: false);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Write(string line, bool skip)
    {
        if (skip) return;
        lock (_gate) output.WriteLine(line);
    }
}
