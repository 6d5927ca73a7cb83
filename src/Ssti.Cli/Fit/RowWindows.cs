using System.Runtime.ExceptionServices;
using Ssti.Corpus.Sources;

namespace Ssti.Cli.Fit;

/// <summary>
/// Rows some at a time, in their order: no more than a number of them, and of long ones fewer, so that memory does not grow with either.
/// </summary>
internal static class RowWindows
{
    /// <summary>Characters after which a window is full, whatever the number of its rows.</summary>
    public const int MostCharacters = 1 << 20;

    /// <summary>Windows as full as they can be, for rows that are all there: the same rows are always together.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="most">Rows of a window.</param>
    public static IEnumerable<IReadOnlyList<TextRow>> Full(IEnumerable<TextRow> rows, int most)
    {
        var (window, characters) = (new List<TextRow>(), 0L);
        foreach (var row in rows)
        {
            window.Add(row);
            characters += row.Text.Length;
            if (window.Count < most && characters < MostCharacters) continue;
            yield return window;
            (window, characters) = ([], 0);
        }

        if (window.Count > 0) yield return window;
    }

    /// <summary>
    /// Windows for rows that somebody is still writing: whoever asks for the next one gets what came since the last, waits where that is
    /// nothing, and never waits for a row more. A row that is typed is answered at once; of a flood, windows are full.
    /// </summary>
    /// <param name="rows">The rows; taken on a thread of its own, which may be left waiting for a row that never comes.</param>
    /// <param name="most">Rows of a window.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public static IEnumerable<IReadOnlyList<TextRow>> AsTheyCome(IEnumerable<TextRow> rows, int most, CancellationToken cancellation)
    {
        var arrivals = new Arrivals(rows, most);
        using var waking = cancellation.Register(arrivals.Wake);
        arrivals.Start();
        try
        {
            while (arrivals.Take(cancellation) is { Count: > 0 } window) yield return window;
        }
        finally
        {
            arrivals.Leave();
        }
    }

    private sealed class Arrivals(IEnumerable<TextRow> rows, int most)
    {
        private readonly object _gate = new();
        private List<TextRow> _came = [];
        private long _characters;
        private bool _over, _left;
        private ExceptionDispatchInfo? _failure;

        public void Start() => new Thread(Read) { IsBackground = true, Name = "ssti rows" }.Start();

        public void Wake()
        {
            lock (_gate) Monitor.PulseAll(_gate);
        }

        public void Leave()
        {
            lock (_gate)
            {
                _left = true;
                Monitor.PulseAll(_gate);
            }
        }

        /// <summary>What came; empty at the end.</summary>
        public IReadOnlyList<TextRow> Take(CancellationToken cancellation)
        {
            lock (_gate)
            {
                while (_came.Count == 0 && !_over)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Monitor.Wait(_gate);
                }

                cancellation.ThrowIfCancellationRequested();
                // What came before a broken row is answered before that is told.
                if (_came.Count == 0) _failure?.Throw();
                var window = _came;
                (_came, _characters) = ([], 0);
                Monitor.PulseAll(_gate);
                return window;
            }
        }

        private void Read()
        {
            try
            {
                foreach (var row in rows)
                {
                    lock (_gate)
                    {
                        while ((_came.Count >= most || _characters >= MostCharacters) && !_left) Monitor.Wait(_gate);
                        if (_left) return;
                        _came.Add(row);
                        _characters += row.Text.Length;
                        Monitor.PulseAll(_gate);
                    }
                }
            }
            catch (Exception error)
            {
                _failure = ExceptionDispatchInfo.Capture(error);
            }
            finally
            {
                lock (_gate)
                {
                    _over = true;
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }
}
