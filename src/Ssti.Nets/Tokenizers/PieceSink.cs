namespace Ssti.Nets.Tokenizers;

/// <summary>Where pieces go: into a span of fixed length, counting on when it is full, or into a list.</summary>
internal ref struct PieceSink(Span<int> ids, int length)
{
    private readonly Span<int> _ids = ids;

    /// <summary>Takes every piece instead of the span, when set.</summary>
    public List<int>? Overflow { get; set; }

    /// <summary>Takes where each piece begins beside it, when set.</summary>
    public List<int>? Starts { get; set; }

    /// <summary>Pieces so far.</summary>
    public int Total { get; private set; }

    /// <summary>Pieces that are in the span.</summary>
    public readonly int Kept => Math.Min(Total, _ids.Length);

    /// <summary>Start of the first piece, or word of pieces, that did not wholly fit.</summary>
    public int CutAt { get; private set; } = length;

    /// <summary>Adds a piece that, or whose word, starts at <paramref name="at"/>.</summary>
    public void Add(int id, int at)
    {
        if (Overflow is not null) Overflow.Add(id);
        else if (Total < _ids.Length) _ids[Total] = id;
        else if (at < CutAt) CutAt = at;
        Starts?.Add(at);
        Total++;
    }

    /// <summary>The state before a word.</summary>
    public readonly (int Total, int CutAt) Mark() => (Total, CutAt);

    /// <summary>Takes a word's pieces back.</summary>
    public void Return((int Total, int CutAt) mark)
    {
        Overflow?.RemoveRange(Overflow.Count - (Total - mark.Total), Total - mark.Total);
        Starts?.RemoveRange(Starts.Count - (Total - mark.Total), Total - mark.Total);
        (Total, CutAt) = mark;
    }
}
