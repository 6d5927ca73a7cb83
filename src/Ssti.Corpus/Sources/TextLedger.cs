using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>
/// Knows which texts were written, to tell those that stand in two splits, twice in one, and under two labels. White space at both ends is
/// no difference. A text costs some 40 bytes whatever its length.
/// </summary>
internal sealed class TextLedger
{
    private readonly Dictionary<UInt128, Seen> _texts = [];
    private readonly Dictionary<(int First, int Second), int> _shared = [];
    private readonly Dictionary<int, (long Rows, long OtherLabel)> _repeated = [];

    /// <summary>A text as it was seen first, its label as it was seen first in the last split, the splits it was seen in as bits, and whether with two labels.</summary>
    private record struct Seen(int Label, int Row, int LabelHere, byte Split, uint Splits, bool TwoLabels);

    /// <summary>How many texts stand under more than one label.</summary>
    public int TwoLabels { get; private set; }

    /// <summary>The first text that does: the two rows that hold it, as (split, row in the split from 0, label).</summary>
    public ((int Split, int Row, int Label) First, (int Split, int Row, int Label) Second)? Example { get; private set; }

    /// <summary>How many different texts stand in both of two splits.</summary>
    public int Shared(int first, int second) => _shared.GetValueOrDefault((first, second));

    /// <summary>How many rows of a split hold a text that a row before them in it holds, and how many of them under another label than that row.</summary>
    public (long Rows, long OtherLabel) Repeated(int split) => _repeated.GetValueOrDefault(split);

    /// <summary>Notes a labelled row of a split (0 to 31), in the order of the splits.</summary>
    public void Note(int split, int number, Row row)
    {
        var digest = TextDigest.Of(row.Text.AsSpan().Trim());
        if (!_texts.TryGetValue(digest, out var seen))
        {
            _texts[digest] = new Seen(row.Label, number, row.Label, (byte)split, 1u << split, false);
            return;
        }

        var here = seen.LabelHere;
        if ((seen.Splits & (1u << split)) == 0)
        {
            here = row.Label;
            for (var other = 0; other < split; other++)
                if ((seen.Splits & (1u << other)) != 0) _shared[(other, split)] = Shared(other, split) + 1;
        }
        else
        {
            var (rows, otherLabel) = Repeated(split);
            _repeated[split] = (rows + 1, otherLabel + (row.Label == here ? 0 : 1));
        }

        var twoLabels = seen.TwoLabels || row.Label != seen.Label;
        if (twoLabels && !seen.TwoLabels)
        {
            TwoLabels++;
            Example ??= ((seen.Split, seen.Row, seen.Label), (split, number, row.Label));
        }

        _texts[digest] = seen with { LabelHere = here, Splits = seen.Splits | (1u << split), TwoLabels = twoLabels };
    }
}
