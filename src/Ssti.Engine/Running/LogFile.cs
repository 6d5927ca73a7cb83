namespace Ssti.Engine.Running;

/// <summary>The file that a run keeps of a stage's log.</summary>
internal sealed class LogFile : IDisposable
{
    private readonly StreamWriter _writer;
    private readonly Lock _lock = new();
    private bool _closed;

    public LogFile(string path) =>
        _writer = new StreamWriter(path, append: false, new System.Text.UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };

    public void Write(string line)
    {
        lock (_lock)
        {
            // A stage that outlived its cancellation may still try.
            if (_closed) return;
            Quietly(() => _writer.WriteLine(line));
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
