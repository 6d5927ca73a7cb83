using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Defenses.Data;

/// <summary>A row whose text stands elsewhere, too.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class; -1 without one.</param>
/// <param name="OtherSplit">The split of the first row with that text.</param>
/// <param name="OtherId">That row.</param>
/// <param name="OtherLabel">Its class.</param>
public sealed record RepeatedText(string Split, string Id, int Label, string OtherSplit, string OtherId, int OtherLabel)
{
    /// <summary>Whether the two rows are of one split.</summary>
    public bool IsDuplicate => Split == OtherSplit;

    /// <summary>Whether they are of two classes.</summary>
    public bool IsConflict => Label >= 0 && OtherLabel >= 0 && Label != OtherLabel;
}

/// <summary>
/// Finds texts that stand more than once: in a split (duplicates), in two (leakage), under two labels (conflicts). White space at both
/// ends is no difference.
/// </summary>
public sealed class RepeatedTexts
{
    private readonly Dictionary<UInt128, (string Split, string Id, int Label)> _first = [];
    private readonly List<RepeatedText> _found = [];
    private readonly int _most;

    /// <summary>A search.</summary>
    /// <param name="most">How many rows are kept by name; all are counted.</param>
    public RepeatedTexts(int most) => _most = most;

    /// <summary>Rows that repeat a row before them, the first ones.</summary>
    public IReadOnlyList<RepeatedText> Found => _found;

    /// <summary>Rows that repeat a row of their split.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Rows that repeat a row of another split.</summary>
    public long Leaks { get; private set; }

    /// <summary>Rows that repeat a row of another class, in whichever split.</summary>
    public long Conflicts { get; private set; }

    /// <summary>Notes a row; an empty text repeats nothing.</summary>
    public void Note(string split, Row row)
    {
        var text = row.Text.AsSpan().Trim();
        if (text.IsEmpty) return;
        if (_first.TryAdd(TextDigest.Of(text), (split, row.Id, row.Label))) return;
        var (otherSplit, otherId, otherLabel) = _first[TextDigest.Of(text)];
        var repeated = new RepeatedText(split, row.Id, row.Label, otherSplit, otherId, otherLabel);
        if (repeated.IsDuplicate) Duplicates++;
        else Leaks++;
        if (repeated.IsConflict) Conflicts++;
        if (_found.Count < _most) _found.Add(repeated);
    }
}
