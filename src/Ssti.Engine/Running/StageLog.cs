using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ssti.Engine.Running;

/// <summary>What a stage at work writes down: lines led by the seconds since it began, told as they come and kept for the record.</summary>
internal sealed class StageLog(Action<string> written)
{
    // A record's log is read whole; what a stage writes beyond this is in the run's log file only.
    private const int Kept = 8 << 20;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StringBuilder _text = new();
    private readonly Lock _lock = new();
    private int _more;

    public void Write(string line)
    {
        lock (_lock)
        {
            var timed = string.Create(CultureInfo.InvariantCulture, $"[{_clock.Elapsed.TotalSeconds,9:0.000}] {line}");
            if (_text.Length < Kept) _text.Append(timed).Append('\n');
            else _more++;
            written(timed);
        }
    }

    /// <summary>All of it so far.</summary>
    public string Text()
    {
        lock (_lock) return _more == 0 ? _text.ToString() : $"{_text}(and {_more} lines more, not kept)\n";
    }
}
