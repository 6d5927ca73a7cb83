namespace Ssti.Cli.Display;

/// <summary>One line on the error stream that says how far a long command is: redrawn for who watches, and for a log a new one every half a minute.</summary>
internal sealed class Meter(Terminal terminal, bool quiet, string what, TimeProvider time, string unit = "blob") : IDisposable
{
    private readonly long _began = time.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly double _every = terminal.IsInteractive ? 0.15 : 30;
    private double _shown = terminal.IsInteractive ? -1 : 0;
    private int _width;

    /// <summary>Shows how many blobs (or what the meter counts) and bytes are done, of how many, and how long the rest may take at this pace.</summary>
    public void Show(long blobs, long bytes, long allBlobs, long allBytes)
    {
        if (quiet) return;
        lock (_gate)
        {
            var now = time.GetElapsedTime(_began).TotalSeconds;
            if (now - _shown < _every) return;
            _shown = now;
            var left = bytes > 0 && now > 1 && allBytes > bytes ? $", ~{Durations.Show(now * (allBytes - bytes) / bytes)} left" : "";
            Write($"{what}: {blobs} of {Amounts.Of(allBlobs, unit)}, {Amounts.Bytes(bytes)} of {Amounts.Bytes(allBytes)}{left}");
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
        if (!terminal.IsInteractive)
        {
            terminal.Error.WriteLine(text);
            return;
        }

        terminal.Error.Write($"\r{text.PadRight(_width)}");
        _width = text.Length;
    }
}
