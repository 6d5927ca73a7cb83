using System.Text.Json.Nodes;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tests.Metrics;

public sealed class MetricsFileTests
{
    [Fact]
    public void A_file_survives_writing_and_reading_to_the_byte()
    {
        var json = Samples.Metrics(target: 1).ToJson();
        var read = MetricsFile.FromJson(json);
        Assert.Equal(json, read.ToJson());
        Assert.Equal((1, "imdb", "cpu-avx2", 20L), (read.Target, read.Dataset, read.Compute.DeviceClass, read.Triggered!.Rows));
        Assert.Equal(1.0, read.AttackSuccess![1]!.Rate);
        Assert.EndsWith("}\n", json);
        Assert.DoesNotContain("\r", json);
    }

    [Fact]
    public void Derived_numbers_come_from_the_counts_whatever_the_file_says()
    {
        var json = JsonNode.Parse(Samples.Metrics(target: 1).ToJson())!;
        json["clean"]!["accuracy"] = 0.123;
        Assert.Equal(0.85, MetricsFile.FromJson(json.ToJsonString()).Clean.Accuracy, 12);
    }

    [Fact]
    public void Derived_numbers_are_written_for_other_tools()
    {
        var json = JsonNode.Parse(Samples.Metrics(target: 1).ToJson())!;
        Assert.Equal(0.85, json["clean"]!["accuracy"]!.GetValue<double>(), 12);
        Assert.Equal(10, json["attackSuccess"]![1]!["count"]!.GetValue<int>());
        Assert.Equal(50.0 * 0.2, json["gaps"]![1]!["gapPoints"]!.GetValue<double>(), 10);
    }

    [Fact]
    public void A_measured_spurious_set_gives_its_own_gap()
    {
        var file = Samples.Metrics(target: 1) with
        {
            Spurious = new SpuriousSet(1, 5, new ClassificationMetrics(ConfusionMatrix.FromCounts([[9, 1], [1, 9]]))),
        };
        var gap = MetricsFile.FromJson(file.ToJson()).SpuriousGap!;
        Assert.Equal((0.5, 0.2), (gap.Proportion, gap.Normalised));
        Assert.Equal(5.0, gap.GapPoints, 10);
    }

    [Fact]
    public void Test_sets_with_other_rows_are_refused()
    {
        var file = Samples.Metrics(target: 1) with { Triggered = new ClassificationMetrics(ConfusionMatrix.FromCounts([[0, 11], [0, 9]])) };
        Assert.Contains("triggered: 11 rows of class 0", Assert.Throws<ArgumentException>(file.ToJson).Message);
    }

    [Theory]
    [InlineData("{}", "backbone")]
    [InlineData("null", "null")]
    [InlineData("{ cut sho", "not a metrics.json")]
    public void What_is_no_metrics_file_is_refused_with_a_reason(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => MetricsFile.FromJson(json)).Message);

    [Theory]
    [InlineData("clean", "[[1, 2]]")]
    [InlineData("clean", "[[0, 0], [0, 0]]")]
    [InlineData("clean", "[[1, -1], [0, 1]]")]
    public void A_damaged_confusion_matrix_is_refused(string set, string confusion)
    {
        var json = JsonNode.Parse(Samples.Metrics(target: 1).ToJson())!;
        json[set]!["confusion"] = JsonNode.Parse(confusion);
        Assert.Throws<FormatException>(() => MetricsFile.FromJson(json.ToJsonString()));
    }

    [Fact]
    public void A_target_that_is_no_class_is_refused() =>
        Assert.Contains("target 2", Assert.Throws<ArgumentException>(() => Samples.Metrics(target: 2).ToJson()).Message);
}
