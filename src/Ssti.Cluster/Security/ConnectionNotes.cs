using Microsoft.Extensions.Logging;

namespace Ssti.Cluster.Security;

/// <summary>
/// Why connections were refused, by this side or the other: for the log of a silo, and for the message of whoever could not connect. What happens again and
/// again is told once in a while.
/// </summary>
internal sealed partial class ConnectionNotes(TimeProvider? time = null)
{
    private const int Most = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _told = [];
    private readonly List<string> _waiting = [];
    private ILogger? _log;

    /// <summary>The last reason why a connection of this side came to nothing; null when there was none.</summary>
    public string? LastRefusal { get; private set; }

    /// <summary>Where to write from now on; what was told before is written now.</summary>
    public void WriteTo(ILogger log)
    {
        lock (_lock)
        {
            _log = log;
            foreach (var text in _waiting) LogNote(log, text);
            _waiting.Clear();
        }
    }

    /// <summary>Notes something.</summary>
    /// <param name="text">What, as a sentence.</param>
    /// <param name="about">What it is the same as, for a text that differs each time; null for itself.</param>
    /// <param name="isRefusal">Whether it is why this side cannot connect.</param>
    public void Tell(string text, string? about = null, bool isRefusal = false)
    {
        lock (_lock)
        {
            if (isRefusal) LastRefusal = text;
            if (_told.TryGetValue(about ?? text, out var at) && _time.GetElapsedTime(at) < Pause) return;
            // Strangers must not fill the memory by inventing new texts.
            if (_told.Count >= Most) _told.Clear();
            _told[about ?? text] = _time.GetTimestamp();
            if (_log is not null) LogNote(_log, text);
            else if (_waiting.Count < Most) _waiting.Add(text);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Note}")]
    private static partial void LogNote(ILogger log, string note);
}
