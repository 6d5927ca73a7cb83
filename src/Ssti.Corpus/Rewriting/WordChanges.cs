namespace Ssti.Corpus.Rewriting;

/// <summary>How far a text is from what it was: words of a longest common subsequence are the same, all others went or came. Words lie between white space.</summary>
/// <param name="Words">Words before.</param>
/// <param name="Gone">Of them, those without a counterpart after, whatever their case.</param>
/// <param name="Came">Words after without a counterpart before.</param>
/// <param name="Characters">Characters before, without white space.</param>
/// <param name="Edited">Characters of the words that went or came.</param>
public readonly record struct WordChanges(long Words, long Gone, long Came, long Characters, long Edited)
{
    /// <summary>Compares two texts.</summary>
    public static WordChanges Between(string before, string after)
    {
        var (left, right) = (Split(before), Split(after));
        int head = 0, tail = 0;
        while (head < left.Length && head < right.Length && Same(left[head], right[head])) head++;
        while (tail < left.Length - head && tail < right.Length - head && Same(left[^(tail + 1)], right[^(tail + 1)])) tail++;
        var (gone, came) = Unmatched(left.AsSpan(head..^tail), right.AsSpan(head..^tail));
        return new(left.Length, gone.Count, came.Count, left.Sum(word => (long)word.Length), gone.Characters + came.Characters);
    }

    /// <summary>Both together.</summary>
    public static WordChanges operator +(WordChanges a, WordChanges b) =>
        new(a.Words + b.Words, a.Gone + b.Gone, a.Came + b.Came, a.Characters + b.Characters, a.Edited + b.Edited);

    // The classic table: the longest common subsequence from each pair of places on.
    private static ((long Count, long Characters) Gone, (long Count, long Characters) Came) Unmatched(ReadOnlySpan<string> left, ReadOnlySpan<string> right)
    {
        var width = right.Length + 1;
        var longest = new int[(left.Length + 1) * width];
        for (var i = left.Length - 1; i >= 0; i--)
            for (var j = right.Length - 1; j >= 0; j--)
                longest[i * width + j] = Same(left[i], right[j])
                    ? longest[(i + 1) * width + j + 1] + 1 : Math.Max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
        (long Count, long Characters) gone = default, came = default;
        for (int i = 0, j = 0; i < left.Length || j < right.Length;)
        {
            if (i < left.Length && j < right.Length && Same(left[i], right[j])) (i, j) = (i + 1, j + 1);
            else if (j == right.Length || (i < left.Length && longest[(i + 1) * width + j] >= longest[i * width + j + 1]))
                gone = (gone.Count + 1, gone.Characters + left[i++].Length);
            else came = (came.Count + 1, came.Characters + right[j++].Length);
        }

        return (gone, came);
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    private static string[] Split(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
