using Ssti.Defenses.Data.Probing;

namespace Ssti.Defenses.Cures;

/// <summary>
/// Spectral signatures as a cure (Tran, Li and Madry 2018): within a class, poisoned rows stand out along the direction in which the class's representations vary most.
/// </summary>
public static class SpectralSignatures
{
    /// <summary>The <see cref="SpectralSignature"/> of each row within its class.</summary>
    /// <param name="representations">[rows][width].</param>
    /// <param name="labels">The rows' classes.</param>
    public static double[] Scores(IReadOnlyList<float[]> representations, IReadOnlyList<int> labels)
    {
        var scores = new double[labels.Count];
        foreach (var members in Enumerable.Range(0, labels.Count).GroupBy(row => labels[row]))
            foreach (var (row, score) in members.Zip(SpectralSignature.Scores([.. members.Select(row => representations[row])]))) scores[row] = score;
        return scores;
    }

    /// <summary>The rows with the highest scores of each class, by index, in their order.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="labels">The rows' classes.</param>
    /// <param name="share">The share of each class that is taken; rounded to the nearest row, half to even.</param>
    public static IReadOnlyList<int> Highest(IReadOnlyList<double> scores, IReadOnlyList<int> labels, double share) =>
        [.. Enumerable.Range(0, labels.Count).GroupBy(row => labels[row])
            .SelectMany(rows => rows.OrderByDescending(row => scores[row]).ThenBy(row => row).Take((int)Math.Round(share * rows.Count()))).Order()];
}
