namespace Ssti.Defenses.Data.Probing;

/// <summary>
/// Activation clustering (Chen et al. 2018): the rows of a class fall into two groups where some of them are of the class for another
/// reason than the rest.
/// </summary>
/// <param name="Smaller">Of each row whether it is in the smaller group.</param>
/// <param name="Share">The smaller group's share of the rows.</param>
/// <param name="Silhouette">How far apart the groups lie, the mean silhouette: near 0 for one cloud cut in two, towards 1 for two clouds.</param>
public sealed record ActivationClusters(IReadOnlyList<bool> Smaller, double Share, double Silhouette)
{
    private const int Directions = 5, Rounds = 100, MostCompared = 400;

    /// <summary>Two groups of rows, along the directions in which they differ most; null for fewer than four rows.</summary>
    public static ActivationClusters? Of(IReadOnlyList<float[]> rows)
    {
        if (rows.Count < 4) return null;
        var points = SpectralSignature.Project(SpectralSignature.Centred(rows), Math.Min(Directions, rows[0].Length));
        // The two ends of the first direction are where two groups would lie.
        var order = Enumerable.Range(0, points.Length).OrderBy(row => points[row][0]).ToArray();
        double[][] centres = [points[order[0]], points[order[^1]]];
        var group = new int[points.Length];
        for (var round = 0; round < Rounds; round++)
        {
            var moved = false;
            for (var row = 0; row < points.Length; row++)
            {
                var nearer = Distance(points[row], centres[0]) <= Distance(points[row], centres[1]) ? 0 : 1;
                moved |= nearer != group[row];
                group[row] = nearer;
            }

            if (!moved && round > 0) break;
            for (var centre = 0; centre < 2; centre++)
            {
                var own = Enumerable.Range(0, points.Length).Where(row => group[row] == centre).ToArray();
                if (own.Length > 0) centres[centre] = [.. Enumerable.Range(0, points[0].Length).Select(column => own.Average(row => points[row][column]))];
            }
        }

        var second = group.Count(one => one == 1);
        var smaller = 2 * second <= points.Length ? 1 : 0;
        return new ActivationClusters(
            [.. group.Select(one => one == smaller)], (double)group.Count(one => one == smaller) / points.Length, MeanSilhouette(points, group));
    }

    private static double MeanSilhouette(double[][] points, int[] group)
    {
        // Quadratic in the rows: of many an even sample says the same.
        var step = Math.Max(1, points.Length / MostCompared);
        int[] sample = [.. Enumerable.Range(0, points.Length).Where(row => row % step == 0)];
        var values = new List<double>();
        foreach (var row in sample)
        {
            var own = sample.Where(other => other != row && group[other] == group[row]).ToArray();
            var others = sample.Where(other => group[other] != group[row]).ToArray();
            if (own.Length == 0 || others.Length == 0) continue;
            double near = own.Average(other => Math.Sqrt(Distance(points[row], points[other]))), far = others.Average(other => Math.Sqrt(Distance(points[row], points[other])));
            values.Add(Math.Max(near, far) == 0 ? 0 : (far - near) / Math.Max(near, far));
        }

        return values.Count == 0 ? 0 : values.Average();
    }

    private static double Distance(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++) sum += (left[i] - right[i]) * (left[i] - right[i]);
        return sum;
    }
}
