namespace Ssti.Defenses.Data;

/// <summary>
/// Groups of rows that are no texts of their own: most of each stands in the group's longest row, as a copy with a few words changed does,
/// or a phrase of a sentence. Measured is the share of a row's runs of three words that the longer row has (Broder 1997: containment of
/// shingles). A row is compared with the longest row of a group alone, so that no chain of likenesses joins what is not alike.
/// </summary>
/// <remarks>
/// Runs in more than one row of twenty are a template and tell nothing. A row joins the group with which it shares most among at most four
/// that own one of its runs: time is linear in the words. Of a run that many groups have only the first is known, so that a short row of
/// nothing but frequent runs may stay alone.
/// </remarks>
public sealed class NearDuplicates
{
    /// <summary>The share of a row's runs that its group's longest row has, and never fewer than three where it has as many.</summary>
    public const double Contained = 0.6;

    /// <summary>Rows of other splits with fewer words are not called leaked: they stand in a longer row by chance.</summary>
    public const int LeastLeak = 5;

    private const int Run = 3, FewestRuns = 3, Candidates = 4, MostBits = 24, TemplateBits = 20;
    private const double Template = 0.05;
    private const int LeastTemplate = 50;

    private readonly RowWords _words;
    private readonly int[] _longest, _owners, _runs = new int[1 << TemplateBits];
    private readonly int _bits, _template;
    private readonly bool _hasShort;
    private readonly List<ulong> _own = [];
    private readonly Dictionary<int, int> _votes = [];
    private readonly HashSet<ulong> _compared = [];
    private int _comparedRow = -1;

    private NearDuplicates(RowWords words, CancellationToken cancellation)
    {
        _words = words;
        _longest = new int[words.Rows];
        _template = (int)Math.Max(LeastTemplate, Template * words.Rows);
        _bits = Math.Clamp((int)Math.Ceiling(Math.Log2(Math.Max(1, 2 * words.Words))), 10, MostBits);
        _owners = new int[1 << _bits];
        var lengths = new int[words.Most + 2];
        for (var row = 0; row < words.Rows; row++)
        {
            var of = words.Of(row);
            _hasShort |= of.Length is 1 or 2;
            lengths[words.Most - of.Length + 1]++;
            Runs(of, _own);
            foreach (var run in _own) _runs[run >> (64 - TemplateBits)]++;
        }

        // The longest rows first, each length in the rows' order.
        for (var length = 1; length < lengths.Length; length++) lengths[length] += lengths[length - 1];
        var order = new int[words.Rows];
        for (var row = 0; row < words.Rows; row++) order[lengths[words.Most - words.Of(row).Length]++] = row;
        var sizes = new int[words.Rows];
        foreach (var row in order)
        {
            cancellation.ThrowIfCancellationRequested();
            var of = words.Of(row);
            _longest[row] = Find(of) ?? row;
            sizes[_longest[row]]++;
            if (_longest[row] == row) Own(row, of);
        }

        foreach (var size in sizes)
        {
            if (size < 2) continue;
            Groups++;
            Grouped += size;
            Largest = Math.Max(Largest, size);
        }

        for (var row = 0; row < words.Rows; row++)
            if (sizes[_longest[row]] == 1) _longest[row] = -1;
    }

    /// <summary>Whether they were looked for: not where there are too many rows to keep any of their words.</summary>
    public bool Searched => _words.Most > 0;

    /// <summary>Groups of two rows and more.</summary>
    public int Groups { get; }

    /// <summary>Rows in these.</summary>
    public long Grouped { get; }

    /// <summary>Rows of the largest; 1 where there is none.</summary>
    public int Largest { get; } = 1;

    /// <summary>The longest row of a row's group; -1 for a row that stands alone.</summary>
    public int GroupOf(int row) => Searched ? _longest[row] : -1;

    /// <summary>The row that a text of another split is a near-duplicate of; null where there is none, or the text is too short to say.</summary>
    public int? Leaked(string text) => Searched && _words.In(text) is { Length: >= LeastLeak } words ? Find(words) : null;

    internal static NearDuplicates Of(RowWords words, CancellationToken cancellation) => new(words, cancellation);

    private int? Find(ReadOnlySpan<uint> of)
    {
        Told(of, _own);
        if (_own.Count == 0) return null;
        _votes.Clear();
        foreach (var run in _own)
            if (_owners[run >> (64 - _bits)] is > 0 and var owner) _votes[owner - 1] = _votes.GetValueOrDefault(owner - 1) + 1;
        Span<int> tried = stackalloc int[Candidates];
        for (var candidate = 0; candidate < Candidates && Next(tried[..candidate]) is { } row; candidate++)
        {
            if (Has(row, of.Length < Run)) return row;
            tried[candidate] = row;
        }

        return null;

        // Who owns a tenth of its runs owns enough of them to be asked.
        int? Next(ReadOnlySpan<int> before)
        {
            var (best, votes) = (-1, Math.Max(1, _own.Count / 10));
            foreach (var (row, count) in _votes)
                if (!before.Contains(row) && (count > votes || (count == votes && (best < 0 || row < best)))) (best, votes) = (row, count);
            return best < 0 ? null : best;
        }
    }

    private bool Has(int row, bool isShort)
    {
        if (_comparedRow != row)
        {
            _comparedRow = row;
            _compared.Clear();
            var of = _words.Of(row);
            for (var at = 0; at < of.Length; at++)
            {
                if (_hasShort) _compared.Add(Hash(of[at]));
                if (_hasShort && at + 1 < of.Length) _compared.Add(Hash(of[at], of[at + 1]));
                if (at + 2 < of.Length) _compared.Add(Hash(of[at], of[at + 1], of[at + 2]));
            }
        }

        var common = _own.Count(_compared.Contains);
        return common == _own.Count || (!isShort && common >= Math.Max(FewestRuns, Contained * _own.Count));
    }

    private void Own(int row, ReadOnlySpan<uint> of)
    {
        Told(of, _own);
        foreach (var run in _own) Take(run);
        if (!_hasShort) return;
        for (var at = 0; at < of.Length; at++)
        {
            Take(Hash(of[at]));
            if (at + 1 < of.Length) Take(Hash(of[at], of[at + 1]));
        }

        void Take(ulong run)
        {
            ref var owner = ref _owners[run >> (64 - _bits)];
            if (owner == 0) owner = row + 1;
        }
    }

    // The runs that are no template's.
    private void Told(ReadOnlySpan<uint> of, List<ulong> runs)
    {
        Runs(of, runs);
        runs.RemoveAll(run => _runs[run >> (64 - TemplateBits)] > _template);
    }

    // A text of one or two words is a run by itself.
    private static void Runs(ReadOnlySpan<uint> of, List<ulong> runs)
    {
        runs.Clear();
        if (of.Length == 1) runs.Add(Hash(of[0]));
        if (of.Length == 2) runs.Add(Hash(of[0], of[1]));
        for (var at = 0; at + Run <= of.Length; at++) runs.Add(Hash(of[at], of[at + 1], of[at + 2]));
    }

    private static ulong Hash(uint first, uint second = 0, uint third = 0) =>
        FrequencySketch.Mixed((((first * 0x9E3779B97F4A7C15UL) ^ second) * 0xD6E8FEB86659FD93UL + third) * 0xFF51AFD7ED558CCDUL);
}
