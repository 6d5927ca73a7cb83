namespace Ssti.Training.Pretraining;

/// <summary>Cuts a batch that is sorted by length into parts, each padded to its own longest row, so that the largest part is as small as can be.</summary>
internal static class BatchCut
{
    /// <summary>Where each part begins, and at last how many rows there are; a part may be empty when there are fewer rows than parts.</summary>
    /// <param name="lengths">Tokens of every row, rising.</param>
    /// <param name="parts">How many parts.</param>
    public static int[] Of(IReadOnlyList<int> lengths, int parts)
    {
        var (low, high) = (0, lengths.Count * lengths[^1]);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Cut(lengths, parts, middle) is null) low = middle + 1;
            else high = middle;
        }

        return Cut(lengths, parts, high)!;
    }

    // Each part takes rows while it holds at most so many tokens, padding included; null when that does not do for all rows.
    private static int[]? Cut(IReadOnlyList<int> lengths, int parts, int tokens)
    {
        var starts = new int[parts + 1];
        for (var (part, row) = (0, 0); part < parts; part++)
        {
            for (var rows = 1; row < lengths.Count && rows * lengths[row] <= tokens; rows++) row++;
            starts[part + 1] = row;
        }

        return starts[parts] == lengths.Count ? starts : null;
    }
}
