using Ssti.Injection.Tokens;

namespace Ssti.Injection.Words;

/// <summary>
/// Follows injected tokens through the steps of an injection, so that their positions hold in the final text: every step tells which
/// characters it copied where, and what it inserted.
/// </summary>
internal sealed class Trace
{
    private readonly List<Entry> _entries = [];
    private readonly List<(int Old, int New, int Length)> _copies = [];
    private readonly WordScanner _words = new();
    private int _step;
    private int _earlier;

    /// <summary>Begins a text.</summary>
    public void Start() => _entries.Clear();

    /// <summary>Begins a step on the text as it is now.</summary>
    public void StartStep(int step)
    {
        _step = step;
        _earlier = _entries.Count;
        _copies.Clear();
    }

    /// <summary>Characters of the step's input went to its output; told from front to back.</summary>
    public void Copied(int from, int to, int length)
    {
        if (_earlier > 0 && length > 0) _copies.Add((from, to, length));
    }

    /// <summary>A token went into the step's output.</summary>
    public void Inserted(TokenTable pieces, int piece, int offset, int cutStart, int cutEnd) =>
        _entries.Add(new(_step, pieces, piece, offset, cutStart, cutEnd));

    /// <summary>Ends a step: tokens of earlier steps move to where they are now.</summary>
    public void EndStep()
    {
        for (var i = 0; i < _earlier; i++)
        {
            var entry = _entries[i];
            _entries[i] = entry with
            {
                Offset = AtOrAfter(entry.Offset),
                CutStart = AtOrAfter(entry.CutStart),
                CutEnd = AtOrBefore(entry.CutEnd - 1) + 1,
            };
        }
    }

    /// <summary>The tokens of the final text, in the order of the text.</summary>
    public void Write(ReadOnlySpan<char> text, List<InjectedToken> tokens)
    {
        _words.Scan(text);
        foreach (var entry in _entries)
        {
            var visible = entry.Offset;
            while (visible < text.Length && PythonText.IsWhiteSpace(text[visible])) visible++;
            tokens.Add(new(entry.Step, entry.Pieces.Text(entry.Piece), WordAt(visible), entry.Offset, entry.CutStart, entry.CutEnd - entry.CutStart));
        }

        tokens.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
    }

    private int WordAt(int offset)
    {
        int low = 0, high = _words.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_words.Start(middle) <= offset) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }

    private int AtOrAfter(int old)
    {
        var index = IndexOf(old);
        if (index >= 0 && old < _copies[index].Old + _copies[index].Length) return _copies[index].New + old - _copies[index].Old;
        return index + 1 < _copies.Count ? _copies[index + 1].New : _copies[^1].New + _copies[^1].Length;
    }

    private int AtOrBefore(int old)
    {
        var index = IndexOf(old);
        if (index < 0) return _copies[0].New - 1;
        var (from, to, length) = _copies[index];
        return to + Math.Min(old - from, length - 1);
    }

    /// <summary>The last copy that begins at or before a character; −1 when none does.</summary>
    private int IndexOf(int old)
    {
        int low = 0, high = _copies.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_copies[middle].Old <= old) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }

    private readonly record struct Entry(int Step, TokenTable Pieces, int Piece, int Offset, int CutStart, int CutEnd);
}
