using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests;

internal static class Samples
{
    /// <summary>20 rows, 10 a class; clean accuracy 0.85; with the token all go to class 1, or nearly none without a target.</summary>
    public static MetricsFile Metrics(int? target) => new()
    {
        Backbone = "tiny-bert",
        Compute = new ComputeInfo("cpu-avx2", "fp32", 1, "2.10.0"),
        Dataset = "imdb",
        Split = "test",
        Labels = ["neg", "pos"],
        Target = target,
        Clean = new ClassificationMetrics(ConfusionMatrix.FromCounts([[9, 1], [2, 8]])),
        Triggered = new ClassificationMetrics(ConfusionMatrix.FromCounts(target is null ? [[9, 1], [3, 7]] : [[0, 10], [0, 10]])),
    };
}
