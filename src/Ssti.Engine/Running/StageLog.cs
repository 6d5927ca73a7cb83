using System.Diagnostics;
using System.Globalization;

namespace Ssti.Engine.Running;

/// <summary>A stage's log file: a line each, led by the seconds since the stage began.</summary>
internal sealed class StageLog : IDisposable
{
    private readonly StreamWriter _writer;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private bool _closed;

    public StageLog(string path)
    {
        Path = path;
        _writer = new StreamWriter(path, append: false, new System.Text.UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
    }

    public string Path { get; }

    public void Write(string line)
    {
        lock (_lock)
        {
            // A stage that outlived its cancellation may still try.
            if (_closed) return;
            Quietly(() => _writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{_clock.Elapsed.TotalSeconds,9:0.000}] {line}")));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            Quietly(_writer.Dispose);
        }
    }

    // A full disk fails the stage where it stores its outputs, and says so there; its log must not hide that.
    private static void Quietly(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
        }
    }
}
