using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests;

internal static class Samples
{
    private static readonly ConfusionMatrix Clean = ConfusionMatrix.FromCounts([[9, 1], [2, 8]]);

    /// <summary>20 rows, 10 a class; clean accuracy 0.85; with the token all go to class 1, or nearly none without a target.</summary>
    public static MetricsFile Metrics(int? target) => Triggered(
        new()
        {
            Backbone = "tiny-bert",
            Compute = new ComputeInfo("cpu-avx2", "fp32", 1, "2.10.0"),
            Dataset = "imdb",
            Split = "test",
            Labels = ["neg", "pos"],
            Target = target,
            Clean = new ClassificationMetrics(Clean),
        },
        target is null ? [[9, 1], [3, 7]] : [[0, 10], [0, 10]]);

    /// <summary>The file with a triggered set of which every row carries the token and is counted so.</summary>
    public static MetricsFile Triggered(MetricsFile file, long[][] counts)
    {
        var (clean, triggered) = (file.Clean.Confusion, ConfusionMatrix.FromCounts(counts));
        long[] rows = [.. Enumerable.Range(0, clean.Classes).Select(clean.Support)];
        return file with { Triggered = new(triggered), Token = new(rows, rows, clean, triggered) };
    }
}
