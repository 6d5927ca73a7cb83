namespace Ssti.Defenses.Data.Probing;

/// <summary>
/// Spectral signatures (Tran, Li and Madry 2018): how far each row of a class lies along the direction in which the class's rows differ
/// most.
/// </summary>
public static class SpectralSignature
{
    private const int Rounds = 200;

    /// <summary>Squared lengths along the first singular vector of the centred rows, one a row; zeros for fewer than two rows.</summary>
    public static double[] Scores(IReadOnlyList<float[]> rows)
    {
        if (rows.Count < 2) return new double[rows.Count];
        var projected = Project(Centred(rows), 1);
        return [.. projected.Select(row => row[0] * row[0])];
    }

    /// <summary>The rows along the first singular vectors of all: [rows][directions], by power iteration and deflation.</summary>
    internal static double[][] Project(double[][] centred, int directions)
    {
        var (width, result) = (centred[0].Length, centred.Select(_ => new double[directions]).ToArray());
        double[][] left = [.. centred.Select(row => (double[])row.Clone())];
        for (var direction = 0; direction < directions; direction++)
        {
            // A start that is no singular vector's opposite, and the same everywhere.
            var vector = Unit([.. Enumerable.Range(0, width).Select(column => 1 + (0.01 * (column % 7)))]);
            for (var round = 0; round < Rounds; round++)
            {
                var next = new double[width];
                foreach (var row in left)
                {
                    var along = Dot(row, vector);
                    for (var column = 0; column < width; column++) next[column] += along * row[column];
                }

                if (Dot(next, next) == 0) break;
                next = Unit(next);
                var turned = Math.Abs(Dot(next, vector));
                vector = next;
                if (1 - turned < 1e-12) break;
            }

            for (var row = 0; row < left.Length; row++)
            {
                result[row][direction] = Dot(left[row], vector);
                for (var column = 0; column < width; column++) left[row][column] -= result[row][direction] * vector[column];
            }
        }

        return result;
    }

    internal static double[][] Centred(IReadOnlyList<float[]> rows)
    {
        var mean = new double[rows[0].Length];
        foreach (var row in rows)
            for (var column = 0; column < mean.Length; column++) mean[column] += row[column] / (double)rows.Count;
        return [.. rows.Select(row => row.Select((value, column) => value - mean[column]).ToArray())];
    }

    private static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }

    private static double[] Unit(double[] vector)
    {
        var length = Math.Sqrt(Dot(vector, vector));
        return [.. vector.Select(value => value / length)];
    }
}
