using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>
/// Chooses bars or lines, and puts bars off until a stage starts: a run that finds everything cached never loads the code that draws.
/// </summary>
internal sealed class DeferredDisplay(Terminal terminal, bool quiet, TimeProvider time) : IRunDisplay
{
    private readonly Lock _gate = new();
    private IRunDisplay _display = new PlainDisplay(terminal.Error, quiet, time);
    private bool _live;

    public void Started(string stage, Expected expected)
    {
        lock (_gate)
        {
            if (!_live && terminal.IsInteractive && !quiet)
            {
                _display = StartLive();
                _live = true;
            }
        }

        _display.Started(stage, expected);
    }

    public void Progress(string stage, StageProgress progress) => _display.Progress(stage, progress);

    public void Finished(string stage, string line) => _display.Finished(stage, line);

    public void Info(string text) => _display.Info(text);

    public void Warn(string text) => _display.Warn(text);

    public ValueTask DisposeAsync() => _display.DisposeAsync();

    // A method of its own, so that Spectre.Console is loaded only when it is called.
    private LiveDisplay StartLive() => LiveDisplay.Start(terminal.Error);
}
