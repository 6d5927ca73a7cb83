namespace Ssti.Defenses.Adapters;

/// <summary>
/// Tells poisoned adapters from clean ones by the numbers of their weights: logistic regression with an L2 penalty on features that are centred and scaled by
/// the clean adapters of the same rank, since what is usual depends on the rank. A number that an adapter lacks counts as usual.
/// </summary>
public sealed class SpectralDetector
{
    // Fixed, so that nothing is tuned on what is judged: one pseudo-observation's worth for a feature of unit variance.
    private const double Penalty = 1.0;
    private const int MostIterations = 100;
    private const double Enough = 1e-10;

    // Fewer clean adapters of a rank than this, and those of all ranks say what is usual.
    private const int FewestOfRank = 3;

    private readonly IReadOnlyDictionary<int, Scale> _byRank;
    private readonly Scale _all;
    private readonly double[] _weights;

    private SpectralDetector(IReadOnlyDictionary<int, Scale> byRank, Scale all, double[] weights) => (_byRank, _all, _weights) = (byRank, all, weights);

    /// <summary>Fits a detector; null where there are not at least two clean adapters and one poisoned one to learn from.</summary>
    public static SpectralDetector? Fit(IReadOnlyList<BankEntry> entries)
    {
        BankEntry[] clean = [.. entries.Where(entry => !entry.IsPoisoned)];
        if (clean.Length < 2 || clean.Length == entries.Count) return null;
        var all = Scale.Of(clean);
        var byRank = clean.GroupBy(entry => entry.Rank).Where(group => group.Count() >= FewestOfRank).ToDictionary(group => group.Key, group => Scale.Of([.. group]));
        var blank = new SpectralDetector(byRank, all, []);
        double[][] rows = [.. entries.Select(entry => blank.Row(entry.Rank, entry.Features))];
        // Both classes weigh the same, however many there are of each: a score of 0 is even odds.
        var (ofClean, ofPoisoned) = (entries.Count / (2.0 * clean.Length), entries.Count / (2.0 * (entries.Count - clean.Length)));
        double[] importance = [.. entries.Select(entry => entry.IsPoisoned ? ofPoisoned : ofClean)];
        return new(byRank, all, Newton(rows, [.. entries.Select(entry => entry.IsPoisoned)], importance));
    }

    /// <summary>The log-odds that an adapter is poisoned, where clean and poisoned ones are as many: above 0 it looks more like a poisoned one.</summary>
    public double Score(int rank, IReadOnlyList<double?> features) => Dot(_weights, Row(rank, features));

    private double[] Row(int rank, IReadOnlyList<double?> features) => [1, .. _byRank.GetValueOrDefault(rank, _all).Apply(features)];

    // Newton's method on the penalised likelihood, which is concave; the intercept bears no penalty.
    private static double[] Newton(double[][] rows, bool[] poisoned, double[] importance)
    {
        var width = rows[0].Length;
        var weights = new double[width];
        for (var iteration = 0; iteration < MostIterations; iteration++)
        {
            var gradient = new double[width];
            var hessian = new double[width, width];
            for (var j = 1; j < width; j++) (gradient[j], hessian[j, j]) = (-Penalty * weights[j], Penalty);
            hessian[0, 0] = 1e-9;
            for (var i = 0; i < rows.Length; i++)
            {
                var likely = 1 / (1 + Math.Exp(-Dot(weights, rows[i])));
                var (slope, curve) = (importance[i] * ((poisoned[i] ? 1 : 0) - likely), importance[i] * likely * (1 - likely));
                for (var j = 0; j < width; j++)
                {
                    gradient[j] += slope * rows[i][j];
                    for (var k = 0; k <= j; k++) hessian[j, k] += curve * rows[i][j] * rows[i][k];
                }
            }

            var step = Solve(hessian, gradient);
            // A step that overshoots is halved: far from the solution the curve is flat.
            var length = Math.Min(1, 4 / Math.Max(1e-12, step.Max(Math.Abs)));
            for (var j = 0; j < width; j++) weights[j] += length * step[j];
            if (step.Max(Math.Abs) < Enough) break;
        }

        return weights;
    }

    // Cholesky's decomposition of a positive definite matrix of which the lower half is given.
    private static double[] Solve(double[,] matrix, double[] right)
    {
        var width = right.Length;
        var solved = (double[])right.Clone();
        for (var j = 0; j < width; j++)
        {
            for (var k = 0; k < j; k++) matrix[j, j] -= matrix[j, k] * matrix[j, k];
            matrix[j, j] = Math.Sqrt(matrix[j, j]);
            for (var i = j + 1; i < width; i++)
            {
                for (var k = 0; k < j; k++) matrix[i, j] -= matrix[i, k] * matrix[j, k];
                matrix[i, j] /= matrix[j, j];
            }
        }

        for (var i = 0; i < width; i++)
        {
            for (var k = 0; k < i; k++) solved[i] -= matrix[i, k] * solved[k];
            solved[i] /= matrix[i, i];
        }

        for (var i = width - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < width; k++) solved[i] -= matrix[k, i] * solved[k];
            solved[i] /= matrix[i, i];
        }

        return solved;
    }

    private static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }

    /// <summary>What is usual of each feature.</summary>
    private sealed record Scale(double[] Means, double[] Deviations)
    {
        // A feature in which clean adapters hardly differ would outweigh all others: how far from usual is cut here, in standard deviations.
        private const double Farthest = 10;

        public static Scale Of(IReadOnlyList<BankEntry> clean)
        {
            var width = clean[0].Features.Count;
            var (means, deviations) = (new double[width], new double[width]);
            for (var j = 0; j < width; j++)
            {
                double[] values = [.. clean.Select(entry => entry.Features[j]).OfType<double>()];
                if (values.Length < 2) continue;
                means[j] = values.Average();
                var deviation = Math.Sqrt(values.Sum(value => (value - means[j]) * (value - means[j])) / (values.Length - 1));
                deviations[j] = deviation > 1e-12 * Math.Abs(means[j]) ? deviation : 0;
            }

            return new(means, deviations);
        }

        public IEnumerable<double> Apply(IReadOnlyList<double?> features) => features.Select((value, j) =>
            value is { } number && Deviations[j] > 0 ? Math.Clamp((number - Means[j]) / Deviations[j], -Farthest, Farthest) : 0);
    }
}
