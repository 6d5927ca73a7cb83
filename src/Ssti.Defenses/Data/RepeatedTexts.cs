using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Defenses.Data;

/// <summary>A row whose text stands elsewhere, too.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class; -1 without one.</param>
/// <param name="OtherSplit">The split of the first row with that text; of near-duplicates of the longest row of their group.</param>
/// <param name="OtherId">That row.</param>
/// <param name="OtherLabel">Its class.</param>
/// <param name="IsNear">Whether it is not the same text, but most of it stands in the other (see <see cref="NearDuplicates"/>).</param>
public sealed record RepeatedText(string Split, string Id, int Label, string OtherSplit, string OtherId, int OtherLabel, bool IsNear = false)
{
    /// <summary>Whether the two rows are of one split.</summary>
    public bool IsDuplicate => Split == OtherSplit;

    /// <summary>Whether they are of two classes.</summary>
    public bool IsConflict => Label >= 0 && OtherLabel >= 0 && Label != OtherLabel;
}

/// <summary>
/// Finds texts that stand more than once: in a split (duplicates), in two (leakage), under two labels (conflicts). White space at both
/// ends is no difference. What is no repeated text may be a near-duplicate of a row of the audited split.
/// </summary>
public sealed class RepeatedTexts
{
    private readonly Dictionary<UInt128, (string Split, string Id, int Label)> _first = [];
    private readonly List<RepeatedText> _found = [];
    private readonly List<(string Id, int Label)> _audited = [];
    private readonly List<(string Split, string Id, int Label, int Longest)> _near = [];
    private readonly string _split;
    private readonly NearDuplicates _groups;
    private readonly int _most;

    /// <summary>A search.</summary>
    /// <param name="split">The audited split; its rows must be noted first, all of them in their order.</param>
    /// <param name="groups">Its near-duplicates.</param>
    /// <param name="most">How many rows are kept by name, of repeated ones and of near ones; all are counted.</param>
    public RepeatedTexts(string split, NearDuplicates groups, int most) => (_split, _groups, _most) = (split, groups, most);

    /// <summary>Rows that repeat a row before them, the first ones.</summary>
    public IReadOnlyList<RepeatedText> Found => _found;

    /// <summary>Near-duplicates of rows of the audited split, the first ones.</summary>
    public IReadOnlyList<RepeatedText> Near => [.. _near.Take(_most).Select(Told)];

    /// <summary>Rows that repeat a row of their split.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Rows that repeat a row of another split.</summary>
    public long Leaks { get; private set; }

    /// <summary>Rows that repeat a row of another class, in whichever split.</summary>
    public long Conflicts { get; private set; }

    /// <summary>Rows of the audited split most of which stands in a longer row, or in an earlier one of that length.</summary>
    public long NearDuplicates => _near.Count(near => near.Split == _split);

    /// <summary>Rows of other splits most of which stands in a row of the audited one.</summary>
    public long NearLeaks => _near.Count - NearDuplicates;

    /// <summary>Near-duplicates and near leaks of another class than that row.</summary>
    public long NearConflicts => _near.Count(near => Told(near).IsConflict);

    /// <summary>Notes a row; an empty text repeats nothing.</summary>
    public void Note(string split, Row row)
    {
        var number = -1;
        if (split == _split)
        {
            number = _audited.Count;
            _audited.Add((row.Id, row.Label));
        }

        var text = row.Text.AsSpan().Trim();
        if (text.IsEmpty) return;
        if (_first.TryAdd(TextDigest.Of(text), (split, row.Id, row.Label)))
        {
            int? longest = number < 0 ? _groups.Leaked(row.Text) : _groups.GroupOf(number) is >= 0 and var other && other != number ? other : null;
            if (longest is { } at) _near.Add((split, row.Id, row.Label, at));
            return;
        }

        var (otherSplit, otherId, otherLabel) = _first[TextDigest.Of(text)];
        var repeated = new RepeatedText(split, row.Id, row.Label, otherSplit, otherId, otherLabel);
        if (repeated.IsDuplicate) Duplicates++;
        else Leaks++;
        if (repeated.IsConflict) Conflicts++;
        if (_found.Count < _most) _found.Add(repeated);
    }

    private RepeatedText Told((string Split, string Id, int Label, int Longest) near) =>
        new(near.Split, near.Id, near.Label, _split, _audited[near.Longest].Id, _audited[near.Longest].Label, IsNear: true);
}
