using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Splits;

/// <summary>
/// Holds rows out class by class, so that each part has the classes in the shares that the whole has. Rows of a class with the same text go together: a text that is
/// trained on tells nothing when it is measured. Drawn from numpy's permutation, seeded with the seed and the class.
/// </summary>
public static class StratifiedSplit
{
    /// <summary>
    /// Which part each row goes to: the number of one that is held out, or -1 for what stays; and how many texts, which stand under two labels, are torn apart.
    /// </summary>
    /// <param name="rows">The rows; read once, in order. White space at the ends of a text is no difference.</param>
    /// <param name="labels">The names of the classes.</param>
    /// <param name="shares">The share of each class's rows that goes to each part: at least one text.</param>
    /// <param name="seed">What is drawn.</param>
    /// <exception cref="CorpusException">A class has fewer different texts than there are parts with what stays, or a row has no label.</exception>
    public static (int[] Parts, int Torn) Of(IEnumerable<Row> rows, IReadOnlyList<string> labels, IReadOnlyList<double> shares, long seed)
    {
        var count = 0;
        var groups = labels.Select(_ => new Dictionary<UInt128, List<int>>()).ToArray();
        foreach (var row in rows)
        {
            if (row.Label < 0) throw new CorpusException($"row '{row.Id}' has no label, and rows are held out class by class");
            var texts = groups[row.Label];
            var digest = TextDigest.Of(row.Text.AsSpan().Trim());
            if (!texts.TryGetValue(digest, out var same)) texts[digest] = same = [];
            same.Add(count++);
        }

        var parts = Enumerable.Repeat(-1, count).ToArray();
        for (var label = 0; label < labels.Count; label++)
        {
            if (groups[label].Count == 0) continue;
            // In the order in which they come first, which no dictionary promises.
            List<int>[] texts = [.. groups[label].Values.OrderBy(same => same[0])];
            if (texts.Length <= shares.Count)
            {
                throw new CorpusException(
                    $"class '{labels[label]}' has {texts.Length} different text{(texts.Length == 1 ? "" : "s")}, too few to hold some out for {shares.Count} "
                    + $"split{(shares.Count == 1 ? "" : "s")} and leave one to train on: give it at least {shares.Count + 1}, or leave the class out");
            }

            int[] order = NumpyPermutation.Of(texts.Length, unchecked((ulong)seed + (ulong)label));
            Hold(texts, [.. order], shares, parts);
        }

        var places = new Dictionary<UInt128, int>();
        foreach (var (text, same) in groups.SelectMany(texts => texts)) places[text] = places.GetValueOrDefault(text) | (1 << (parts[same[0]] + 1));
        return (parts, places.Values.Count(at => !int.IsPow2(at)));
    }

    private static void Hold(List<int>[] texts, List<int> order, IReadOnlyList<double> shares, int[] parts)
    {
        var rows = texts.Sum(same => same.Count);
        for (var part = 0; part < shares.Count; part++)
        {
            // One text at least for each part that comes, and one that stays.
            var (wanted, taken, spare) = (Math.Max(1, (int)Math.Round(shares[part] * rows)), 0, order.Count - (shares.Count - part));
            for (var at = 0; at < order.Count && spare > 0 && taken < wanted;)
            {
                var same = texts[order[at]];
                if (taken + same.Count > wanted) at++;
                else Take(at);
            }

            // Every text is repeated more often than the part is to have rows.
            if (taken == 0) Take(order.IndexOf(order.MinBy(text => texts[text].Count)));

            void Take(int at)
            {
                foreach (var row in texts[order[at]]) parts[row] = part;
                taken += texts[order[at]].Count;
                spare--;
                order.RemoveAt(at);
            }
        }
    }
}
