using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Defenses.Cures;

/// <summary>
/// Spectral signatures (Tran, Li and Madry 2018): within a class, poisoned rows stand out along the direction in which the class's representations vary most.
/// </summary>
public static class SpectralSignatures
{
    /// <summary>The score of each row: the square of its centred representation along the first principal direction of its class.</summary>
    /// <param name="representations">[rows][width].</param>
    /// <param name="labels">The rows' classes.</param>
    public static double[] Scores(IReadOnlyList<float[]> representations, IReadOnlyList<int> labels)
    {
        var scores = new double[labels.Count];
        foreach (var members in Enumerable.Range(0, labels.Count).GroupBy(row => labels[row]))
        {
            int[] rows = [.. members];
            if (rows.Length < 2) continue;
            using var scope = NewDisposeScope();
            var width = representations[rows[0]].Length;
            var flat = new double[(long)rows.Length * width];
            for (var i = 0; i < rows.Length; i++)
                for (var j = 0; j < width; j++) flat[((long)i * width) + j] = representations[rows[i]][j];
            var here = tensor(flat, rows.Length, width);
            var centred = here - here.mean([0], keepdim: true);
            // Eigenvectors of the small side come in rising order of their values.
            var (_, vectors) = linalg.eigh(matmul(centred.t(), centred));
            var along = matmul(centred, vectors.narrow(1, width - 1, 1)).squeeze(1);
            var own = along.mul(along).data<double>().ToArray();
            for (var i = 0; i < rows.Length; i++) scores[rows[i]] = own[i];
        }

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
