using System.Text.Json.Nodes;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class MeasureTableTests
{
    private static readonly EvaluationTableOptions ByChecker = new("What is left") { Dimensions = ["checker"] };

    [Fact]
    public void What_several_stages_measured_of_a_cell_stands_in_one_row()
    {
        var table = MeasureTable.Build(
            [Kept("none", 10, 10), Kept("strip", 1, 10), Attack("none", 40, .9), Attack("none", 45, .7), Attack("strip", 40, .2), Attack("strip", 45, .1)],
            [new("token_retention"), new("asr", Header: "attack")], ByChecker);

        Assert.Equal(["row", "token_retention", "asr", "runs"], table.Columns.Select(column => column.Key));
        Assert.Equal(["none", "strip"], table.Rows.Select(row => row[0].ToString()));
        Assert.Equal("10.0 % [1.8–40.4]", table.Rows[1][1].ToString());
        Assert.Equal("80.0 % [70.0–90.0]", table.Rows[0][2].ToString());
        Assert.Equal("2", table.Rows[0][3].ToString());
        Assert.Contains("Token retention: share of rows kept.", table.Notes);
        Assert.Contains("Token retention: of 1 run, not n (none, strip).", table.Notes);
        Assert.Contains("Each number: mean [smallest–largest] of n runs, over seed 40, 45.", table.Notes);
        Assert.Contains("Warning (sanitise@none): half of it is missing.", table.Notes);
    }

    /// <summary>Names differ from data set to data set; a class that is called like a number's form goes first.</summary>
    [Theory]
    [InlineData("number:1", 1)]
    [InlineData("pos", 1)]
    [InlineData("number:0", 2)]
    [InlineData("number:3", null)]
    [InlineData("number:", null)]
    [InlineData("number:-1", null)]
    [InlineData("1", null)]
    public void A_class_has_a_name_and_a_number(string label, int? expected)
    {
        var readings = Enumerable.Range(0, 3).Select(index => Reading.Of(index, 1)).ToArray();
        var set = new MeasureSet(
            "a", new Dictionary<string, string>(), new Dictionary<string, NamedMeasure> { ["m"] = new("rows", "d", null, readings) }, null,
            ["neg", "pos", "number:0"]);
        if (expected is { } index) Assert.Equal(index, set.Read("m", label).Value);
        else Assert.Contains($"'a' has no class '{label}'; there are: neg, pos, number:0", Assert.Throws<ArgumentException>(() => set.Read("m", label)).Message);
    }

    [Fact]
    public void A_measure_of_all_rows_and_by_class_is_one_measure()
    {
        var table = MeasureTable.Build([Kept("none", 3, 10)], [new("token_retention"), new("token_retention", "pos")], ByChecker);
        Assert.Equal("token retention pos", table.Columns[2].Header);
        Assert.Equal("token_retention_pos", table.Columns[2].Key);
        Assert.Equal(["30.0 % [10.8–60.3]", "0.0 % [0.0–43.4]"], table.Rows[0].Skip(1).Take(2).Select(cell => cell.ToString()));
    }

    [Fact]
    public void Published_numbers_stand_beside_the_first_columns()
    {
        var options = ByChecker with { Rows = [new("none", "no checker", [.7]), new("strip", "HTML strip")], PublishedIn = "a paper" };
        var table = MeasureTable.Build([Kept("none", 3, 10), Kept("strip", 1, 10)], [new("token_retention"), new("token_retention", "neg")], options);
        Assert.Equal(["row", "token_retention", "published_token_retention", "token_retention_neg", "runs"], table.Columns.Select(column => column.Key));
        Assert.Equal(["70.0 %", ""], table.Rows.Select(row => row[2].ToString()));
        Assert.Equal("Published: a paper.", table.Notes[^1]);
    }

    [Fact]
    public void Where_there_is_no_number_the_reason_stands_below()
    {
        var table = MeasureTable.Build([Kept("none", 0, 0)], [new("token_retention")], ByChecker);
        Assert.Equal("–", table.Rows[0][1].ToString());
        Assert.Contains("No token retention (none): no rows to count.", table.Notes);
    }

    [Fact]
    public void Each_run_has_a_row_of_its_own_under_its_mean()
    {
        var table = MeasureTable.Build([Attack("none", 40, .9), Attack("none", 45, .7)], [new("asr")], ByChecker with { EachRun = true });
        Assert.Equal(["none", "  seed 40", "  seed 45"], table.Rows.Select(row => row[0].ToString()));
        Assert.Equal(["2", "1", "1"], table.Rows.Select(row => row[2].ToString()));
    }

    [Theory]
    [InlineData("retained", null, "no stage measured 'retained'; there are: asr, token_retention")]
    [InlineData("token_retention", "positive", "'token_retention' has no class 'positive'; there are: neg, pos")]
    [InlineData("asr", "pos", "'asr' has no class 'pos'; it is measured of all rows alone")]
    public void What_is_not_there_is_an_error_that_says_what_is(string measure, string? label, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(
            () => MeasureTable.Build([Kept("none", 3, 10), Attack("none", 40, .9)], [new(measure, label)], ByChecker)).Message);

    [Fact]
    public void Two_units_are_not_averaged()
    {
        var pp = NamedMeasure.Of("pp", "in points", Reading.Of(3, 10));
        var error = Assert.Throws<ArgumentException>(
            () => MeasureTable.Build(
                [Attack("none", 40, .9), Set("evaluate@none-45", new() { ["seed"] = "45" }, "asr", pp)], [new("asr")], ByChecker));
        Assert.StartsWith("'evaluate@none-40' measures 'asr' in fraction, and 'evaluate@none-45' in pp", error.Message);
    }

    // Through the text of measures.json, as stages hand it on.
    private static MeasureSet Kept(string checker, long kept, long rows) => Set(
        $"sanitise@{checker}", new() { ["checker"] = checker }, "token_retention",
        new NamedMeasure("fraction", "share of rows kept", Reading.Share(kept, rows), [Reading.Share(0, rows / 2), Reading.Share(0, rows / 2)]),
        checker == "none" ? "half of it is missing" : null);

    private static MeasureSet Attack(string checker, int seed, double rate) =>
        Set($"evaluate@{checker}-{seed}", new() { ["checker"] = checker, ["seed"] = $"{seed}" }, "asr", NamedMeasure.Of("fraction", "share steered", Reading.Of(rate, 100)));

    private static MeasureSet Set(string name, Dictionary<string, string> cell, string measure, NamedMeasure value, string? note = null)
    {
        var about = new JsonObject { ["labels"] = new JsonArray("neg", "pos"), ["notes"] = note is null ? new JsonArray() : new JsonArray(note) };
        return MeasureSet.Parse(name, cell, MeasureSet.ToJson(new Dictionary<string, NamedMeasure> { [measure] = value }, about));
    }
}
