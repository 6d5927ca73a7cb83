namespace Ssti.Defenses.Data;

/// <summary>
/// The words of every row as numbers, in lower case: what is asked about neighbours (which rows are parts of others, which words were
/// put between two) is asked of these, without reading the rows again. Four bytes a word, in memory of a fixed size.
/// </summary>
public sealed class RowWords
{
    /// <summary>Stands for the beginning of a text and for its end.</summary>
    internal const uint Edge = 0;

    // 256 MB at most; below so many words a row says too little.
    private const long Room = 64_000_000;
    private const int Fewest = 8, Block = 1 << 20;

    private readonly List<uint[]> _blocks = [];
    private readonly List<(int Block, int Start, int Length)> _rows = [];
    private int _used = Block, _start;

    internal RowWords(long rows) => Most = Room / Math.Max(1, rows) is var most && most >= Fewest ? (int)Math.Min(most, 1 << 16) : 0;

    /// <summary>Words that are kept of a row, its first ones; 0 where there are too many rows to keep any.</summary>
    public int Most { get; }

    /// <summary>Rows.</summary>
    public int Rows => _rows.Count;

    /// <summary>Words that are kept.</summary>
    public long Words { get; private set; }

    /// <summary>The words of a row.</summary>
    internal ReadOnlySpan<uint> Of(int row)
    {
        var (block, start, length) = _rows[row];
        return length == 0 ? [] : _blocks[block].AsSpan(start, length);
    }

    /// <summary>Whether a row goes on behind the words that were kept.</summary>
    internal bool IsCut(int row) => _rows[row].Length == Most;

    /// <summary>Begins a row.</summary>
    internal void Begin()
    {
        // A row's words lie in one block.
        if (_used + Most > Block)
        {
            _blocks.Add(new uint[Block]);
            _used = 0;
        }

        _start = _used;
    }

    /// <summary>Adds a word of the row.</summary>
    internal void Add(ReadOnlySpan<char> word)
    {
        if (_used - _start < Most) _blocks[^1][_used++] = Number(word);
    }

    /// <summary>Ends the row.</summary>
    internal void End()
    {
        _rows.Add((_blocks.Count - 1, _start, _used - _start));
        Words += _used - _start;
    }

    /// <summary>The words of a text that is none of the rows.</summary>
    internal uint[] In(string text)
    {
        var words = new List<uint>();
        var walk = new TextWords(text);
        while (words.Count < Most && walk.MoveNext()) words.Add(Number(walk.Word));
        return [.. words];
    }

    private static uint Number(ReadOnlySpan<char> word)
    {
        var hash = 0x2545F4914F6CDD1DUL;
        foreach (var c in word) hash = (hash ^ (char.IsAsciiLetterUpper(c) ? (uint)c | 0x20 : c < 0x80 ? c : char.ToLowerInvariant(c))) * 0x9E3779B97F4A7C15UL + (hash >> 47);
        return (uint)(FrequencySketch.Mixed(hash) >> 32) is var number && number == Edge ? 1 : number;
    }
}
