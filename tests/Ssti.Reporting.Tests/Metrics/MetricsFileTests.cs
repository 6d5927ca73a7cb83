using System.Text.Json.Nodes;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Tests;

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
        Assert.Equal(1.0, EvaluationMeasures.AttackSuccess.Read(read, 1).Value);
        Assert.EndsWith("}\n", json);
        Assert.DoesNotContain("\r", json);
    }

    [Fact]
    public void Measures_come_from_the_counts_whatever_the_file_says()
    {
        var json = JsonNode.Parse(Samples.Metrics(target: 1).ToJson())!;
        json["measures"]!["clean_accuracy"]!["value"] = 0.123;
        Assert.Equal(0.85, EvaluationMeasures.CleanAccuracy.Read(MetricsFile.FromJson(json.ToJsonString())).Value!.Value, 12);
    }

    [Fact]
    public void Every_measure_is_written_with_unit_definition_value_rows_interval_or_a_reason()
    {
        var measures = JsonNode.Parse(Samples.Metrics(target: 1).ToJson())!["measures"]!.AsObject();
        Assert.Equal(EvaluationMeasures.All.Select(measure => measure.Name), measures.Select(measure => measure.Key));
        Assert.Equal(measures.Count, measures.Select(measure => measure.Key).Distinct().Count());
        foreach (var (name, measure) in measures)
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)measure!["definition"]), name);
            Assert.Contains((string?)measure["unit"], new[] { "rows", "fraction", "pp" });
            foreach (var reading in measure["classes"]?.AsArray() ?? [measure.DeepClone()])
                Assert.True(reading!["value"] is null == reading["reason"] is not null, $"{name}: {reading.ToJsonString()}");
        }

        var asr = measures["asr"]!["classes"]![1]!;
        Assert.Equal((1.0, 10), ((double)asr["value"]!, (int)asr["n"]!));
        Assert.Equal(0.7224672, (double)asr["interval95"]!["low"]!, 6);
        Assert.Equal(50.0 * 0.2, (double)measures["gap"]!["classes"]![1]!["value"]!, 10);
        Assert.Equal("there is no spurious test set", (string?)measures["spurious_balanced_accuracy"]!["reason"]);
    }

    [Fact]
    public void A_measured_spurious_set_gives_its_own_gap()
    {
        var file = Samples.Metrics(target: 1) with
        {
            Spurious = new SpuriousSet(1, 5, 5, new ClassificationMetrics(ConfusionMatrix.FromCounts([[9, 1], [1, 9]]))),
        };
        var read = MetricsFile.FromJson(file.ToJson());
        Assert.Equal([0.5, 5.0, 25.0, 0.2], new[] { EvaluationMeasures.GapShare, EvaluationMeasures.Gap, EvaluationMeasures.GapCeiling, EvaluationMeasures.NormalisedGap }
            .Select(measure => Math.Round(measure.Read(read, 1).Value!.Value, 10)));
    }

    [Fact]
    public void Rows_whose_token_was_cut_off_count_neither_for_the_attack_nor_for_its_clean_rate()
    {
        // 6 of 10 rows of class 0 are read with the token, and all go to class 1; without it one of these six did.
        var file = Samples.Metrics(target: 1) with
        {
            Token = new([10, 10], [6, 10], ConfusionMatrix.FromCounts([[5, 1], [2, 8]]), ConfusionMatrix.FromCounts([[0, 6], [0, 10]])),
        };
        var (with, without) = (EvaluationMeasures.AttackSuccess.Read(file, 1), EvaluationMeasures.CleanTargetRate.Read(file, 1));
        Assert.Equal((1.0, 6L), (with.Value, with.Rows));
        Assert.Equal((1 / 6.0, 6L), (without.Value, without.Rows));
    }

    [Theory]
    [InlineData(0, 0, "no row of another class carries the token")]
    [InlineData(10, 0, "no row of another class carries a whole token within max-length")]
    public void Without_a_row_to_attack_there_is_no_success_rate_but_a_reason(long injected, long whole, string reason)
    {
        var file = Samples.Metrics(target: 1) with { Token = new([injected, 0], [whole, 0], null, null) };
        var reading = EvaluationMeasures.AttackSuccess.Read(MetricsFile.FromJson(file.ToJson()), 1);
        Assert.Equal((null, 0L, reason), (reading.Value, reading.Rows, reading.Reason));
    }

    [Fact]
    public void Counts_of_the_token_that_do_not_fit_the_rows_are_refused()
    {
        var file = Samples.Metrics(target: 1);
        Assert.Contains(
            "of 10 rows of class 0, 11 injected",
            Assert.Throws<ArgumentException>(() => (file with { Token = file.Token! with { Injected = [11, 10] } }).ToJson()).Message);
        Assert.Contains("9 carry a whole token", Assert.Throws<ArgumentException>(() => (file with { Token = file.Token! with { Whole = [9, 10] } }).ToJson()).Message);
        Assert.Contains("go together", Assert.Throws<ArgumentException>(() => (file with { Token = null }).ToJson()).Message);
    }

    [Fact]
    public void Test_sets_with_other_rows_are_refused()
    {
        var file = Samples.Metrics(target: 1) with { Triggered = new ClassificationMetrics(ConfusionMatrix.FromCounts([[0, 11], [0, 9]])) };
        Assert.Contains("triggered: 11 rows of class 0", Assert.Throws<ArgumentException>(file.ToJson).Message);
    }

    [Theory]
    [InlineData("{}", "backbone")]
    [InlineData(
        """{"schema":1,"backbone":"b","compute":{"deviceClass":"c","dtype":"d","threads":1,"libTorch":"l"},"dataset":"d","split":"s","labels":["a"],"clean":{"confusion":[[1]]}}""",
        "schema 1")]
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

    [Fact]
    public void The_page_on_outputs_names_and_defines_every_measure_as_the_code_does()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs/outputs.md"));
        var from = Array.IndexOf(lines, "| measure | unit | definition |");
        Assert.True(from >= 0, "docs/outputs.md has no table of measures");
        Assert.Equal(
            EvaluationMeasures.All.Select(measure => $"| `{measure.Name}` | {measure.Unit} | {measure.Definition} |").Order(StringComparer.Ordinal),
            lines[(from + 2)..].TakeWhile(line => line.StartsWith('|')).Order(StringComparer.Ordinal));
    }
}
