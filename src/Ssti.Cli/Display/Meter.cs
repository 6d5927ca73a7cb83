using System.Diagnostics;

namespace Ssti.Cli.Display;

/// <summary>One line on the error stream that says how far a long command is; nothing where nobody watches.</summary>
internal sealed class Meter(Terminal terminal, bool quiet, string what) : IDisposable
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private long _shown = -1000;
    private int _width;

    /// <summary>Shows how many blobs and bytes are done, of how many, and how long the rest may take at this pace.</summary>
    public void Show(long blobs, long bytes, long allBlobs, long allBytes)
    {
        if (quiet || !terminal.IsInteractive) return;
        lock (_gate)
        {
            var now = _clock.ElapsedMilliseconds;
            if (now - _shown < 150) return;
            _shown = now;
            var left = bytes > 0 && now > 1000 && allBytes > bytes ? $", ~{Durations.Show(now / 1000.0 * (allBytes - bytes) / bytes)} left" : "";
            Write($"{what}: {blobs} of {Amounts.Of(allBlobs, "blob")}, {Amounts.Bytes(bytes)} of {Amounts.Bytes(allBytes)}{left}");
        }
    }

    /// <summary>Wipes the line.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_width > 0) terminal.Error.Write($"\r{new string(' ', _width)}\r");
            _width = 0;
        }
    }

    private void Write(string text)
    {
        terminal.Error.Write($"\r{text.PadRight(_width)}");
        _width = text.Length;
    }
}
