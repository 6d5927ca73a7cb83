using Snapshooter;
using Snapshooter.Xunit;
using Ssti.Engine.Running;
using Ssti.Reporting.Metrics;

namespace Ssti.Snapshots.Tests;

/// <summary>The pipeline that a new user runs first, in full, and what the README promises of it.</summary>
public sealed class QuickstartTests(QuickstartTests.Run fixture) : IClassFixture<QuickstartTests.Run>
{
    private const string Path = "pipelines/quickstart.yaml";

    /// <summary>One run for all tests: it trains ten models.</summary>
    public sealed class Run : IAsyncLifetime
    {
        internal RealRun Real { get; private set; } = null!;

        public async Task InitializeAsync() => Real = await RealRun.Of(Path);

        public Task DisposeAsync()
        {
            Real.Dispose();
            return Task.CompletedTask;
        }
    }

    [SkippableFact]
    public async Task Its_table()
    {
        Skip.IfNot(RealRun.Unpinned() is null, RealRun.Unpinned());
        var table = await fixture.Real.TextAsync("table1", "table.md");
        Snapshot.Match(table, SnapshotNameExtension.Create(RealRun.Trained($"{nameof(QuickstartTests)}.{nameof(Its_table)}")));
    }

    [Fact]
    public async Task Three_seeds_are_measured_for_each_of_the_three_rows() => Assert.Equal(
        ["base 40", "base 45", "base 50", "class-0 40", "class-0 45", "class-0 50", "class-1 40", "class-1 45", "class-1 50"],
        (await MetricsAsync()).Select(measured => $"{measured.Row} {measured.Seed}").Order(StringComparer.Ordinal));

    [Fact]
    public async Task Without_injection_the_model_splits_the_test_set_and_knows_its_classes()
    {
        foreach (var (row, seed, metrics) in (await MetricsAsync()).Where(measured => measured.Row == "base"))
        {
            Assert.All(Shares(metrics), share => Assert.True(share is >= 0.40 and <= 0.60, $"{row}, seed {seed}: {share:P1} of the predictions are of one class"));
            Assert.True(metrics.Clean.Accuracy >= 0.85, $"{row}, seed {seed}: clean accuracy {metrics.Clean.Accuracy:P1}");
        }
    }

    [Theory]
    [InlineData("class-0", 0)]
    [InlineData("class-1", 1)]
    public async Task A_token_sends_the_predictions_to_its_class_whatever_the_seed(string token, int target)
    {
        foreach (var (row, seed, metrics) in (await MetricsAsync()).Where(measured => measured.Row == token))
        {
            Assert.Equal(target, metrics.Target);
            Assert.True(Shares(metrics)[target] >= 0.95, $"{row}, seed {seed}: {Shares(metrics)[target]:P1} of the predictions go to class {target}");
        }
    }

    [Fact]
    public async Task A_second_run_rebuilds_nothing()
    {
        var again = await fixture.Real.AgainAsync();
        Assert.All(again.Stages, stage => Assert.Equal(StageState.Cached, stage.State));
    }

    private async Task<IReadOnlyList<(string Row, string Seed, MetricsFile Metrics)>> MetricsAsync()
    {
        var measured = new List<(string, string, MetricsFile)>();
        foreach (var instance in fixture.Real.Pipeline.Instances.Where(instance => instance.Kind.Name == "evaluate"))
            measured.Add((instance.Cell["row"], instance.Cell["seed"], MetricsFile.FromJson(await fixture.Real.TextAsync(instance.Name, MetricsFile.FileName))));
        return measured;
    }

    private static double[] Shares(MetricsFile metrics) => [.. metrics.Triggered!.Classes.Select(c => (double)c.Predicted / metrics.Triggered.Rows)];
}
