using System.Collections.Concurrent;
using System.Globalization;
using Spectre.Console;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>A bar for each running stage, redrawn in place; finished stages scroll away above.</summary>
internal sealed class LiveDisplay : IRunDisplay
{
    private readonly ConcurrentDictionary<string, Bar> _bars = new();
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IAnsiConsole _console;
    private readonly Lock _gate = new();
    private ProgressContext? _context;
    private Task _drawing = Task.CompletedTask;

    private LiveDisplay(TextWriter output) => _console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) });

    public static LiveDisplay Start(TextWriter output)
    {
        var display = new LiveDisplay(output);
        var ready = new TaskCompletionSource<ProgressContext>();
        display._drawing = display._console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ready.SetResult(context);
                await display._end.Task;
            });
        display._context = ready.Task.GetAwaiter().GetResult(); // set before the drawing first awaits
        return display;
    }

    public void Started(string stage, Expected expected)
    {
        lock (_gate)
        {
            // A stage that waits for what it needs to be rebuilt starts twice.
            if (_bars.TryRemove(stage, out var before)) before.Task.StopTask();
            var estimate = expected.Seconds is null ? "estimate unknown" : expected.ToString();
            var task = _context!.AddTask(Markup.Escape($"{stage}  {estimate}"), maxValue: 1);
            task.IsIndeterminate = true;
            _bars[stage] = new Bar(stage, task, estimate);
        }
    }

    public void Progress(string stage, StageProgress progress)
    {
        if (_bars.TryGetValue(stage, out var bar)) bar.Show(progress);
    }

    public void Finished(string stage, string line)
    {
        lock (_gate)
        {
            if (_bars.TryRemove(stage, out var bar)) bar.Task.StopTask();
            _console.WriteLine($"{stage}: {line}");
        }
    }

    public void Info(string text) => Warn(text);

    public void Warn(string text)
    {
        lock (_gate) _console.WriteLine(text);
    }

    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult();
        await _drawing;
    }

    private sealed class Bar(string stage, ProgressTask task, string estimate)
    {
        private long _shown;

        public ProgressTask Task { get; } = task;

        public void Show(StageProgress progress)
        {
            // A stage may report thousands of times a second; eyes do not need that.
            var now = Environment.TickCount64;
            var complete = progress.Total is { } all && progress.Done >= all;
            if (!complete && now - Interlocked.Read(ref _shown) < 100) return;
            Interlocked.Exchange(ref _shown, now);

            var total = progress.Total is { } known ? $"/{known.ToString(CultureInfo.InvariantCulture)}" : "";
            var note = progress.Note is { Length: > 0 } text ? $"  {text}" : "";
            Task.Description = Markup.Escape($"{stage}  {progress.Done.ToString(CultureInfo.InvariantCulture)}{total} {progress.Unit}{note}  {estimate}");
            Task.IsIndeterminate = progress.Total is null or 0;
            // Never quite full while it runs: a full bar counts as completed and would be hidden.
            if (progress.Total is > 0 and var units) Task.Value = Math.Min(0.999, (double)progress.Done / units);
        }
    }
}
