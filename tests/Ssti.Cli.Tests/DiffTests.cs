using System.Text.Json.Nodes;
using Snapshooter.Xunit;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

public sealed class DiffTests : CliFixture
{
    [Fact]
    public async Task Two_runs_differ_in_parameters_causes_metrics_and_files()
    {
        Write("p.yaml", Parameterised);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--set", "params.word=three", "--set", "params.list=[1, 2]");
        Snapshot.Match(Steady((await RunAsync("diff")).Out));
    }

    [Fact]
    public async Task The_same_as_Markdown()
    {
        Write("p.yaml", Parameterised);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--set", "params.word=three");
        Snapshot.Match(Steady((await RunAsync("diff", "--markdown")).Out));
    }

    [Fact]
    public async Task The_same_as_JSON_with_values_and_digests()
    {
        Write("p.yaml", Parameterised);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--set", "params.word=three");
        var diff = (await RunAsync("diff", "1", "2", "--json")).Json;
        Assert.Equal(("word", "one", "three"), Values(diff["parameters"]![0]!));
        var stage = diff["stages"]![0]!;
        Assert.Equal(("first", "parameter-changed"), ((string?)stage["stage"], (string?)stage["causes"]![0]!["kind"]));
        Assert.Equal((3, 5), ((int)stage["metrics"]![0]!["values"]![0]!, (int)stage["metrics"]![0]!["values"]![1]!));
        Assert.Equal(64, ((string)stage["files"]![0]!["digests"]![1]!).Length);
        Assert.NotEqual((string)stage["keys"]![0]!, (string)stage["keys"]![1]!);
        Assert.Equal(1, (int)diff["same"]!);
    }

    [Fact]
    public async Task Runs_are_named_in_every_way_that_people_do()
    {
        Write("p.yaml", Parameterised);
        foreach (var word in new[] { "one", "two", "three" }) await RunAsync("run", "p.yaml", "--set", $"params.word={word}");
        var name = (string)(await RunAsync("show", "1", "--json")).Json["run"]!;
        foreach (var first in new[] { "last~2", "1", "000001", name, name[..8] })
        {
            var diff = (await RunAsync("diff", first, "last", "--json")).Json;
            Assert.Equal(("word", "one", "three"), Values(diff["parameters"]![0]!));
        }

        var ambiguous = await RunAsync("diff", "0000", "last");
        Assert.Equal(2, ambiguous.Code);
        Assert.Contains("may be any of", ambiguous.Error);
        foreach (var none in new[] { "last~3", "99", "nonsense", "last~x" })
        {
            var missing = await RunAsync("diff", none);
            Assert.Equal((2, ""), (missing.Code, missing.Out));
            Assert.StartsWith($"ssti: no run '{none}' in ", missing.Error);
        }
    }

    [Fact]
    public async Task Question_answers_by_its_exit_code()
    {
        Write("p.yaml", Parameterised);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml");
        Assert.Equal((0, ""), ((await RunAsync("diff", "--question")).Code, (await RunAsync("diff", "--question")).Out));
        await RunAsync("run", "p.yaml", "--set", "params.word=two");
        Assert.Equal(3, (await RunAsync("diff", "--question")).Code);
        Assert.Contains("nothing differs: 2 stages", (await RunAsync("diff", "1", "2")).Out);
    }

    [Fact]
    public async Task A_stage_that_is_in_one_run_only_is_told()
    {
        Write("p.yaml", Parameterised);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--until", "first");
        var diff = (await RunAsync("diff")).Out;
        Assert.Matches(@"other +done [0-9a-f]{12} +not in it", diff);
        Assert.Matches(@"0 stages differ, 1 equal, 1 only in 000001-", diff);
        Assert.DoesNotContain("Metrics", diff);
        Assert.Matches(@"0 stages differ, 1 equal, 1 only in 000001-", (await RunAsync("diff", "last", "last~1", "--markdown")).Out);
    }

    [Fact]
    public async Task Of_any_number_of_runs_only_what_differs_is_shown_a_column_a_run()
    {
        await ThreeMeasuredAsync();
        Snapshot.Match(Steady((await RunAsync("diff", "1", "2", "3")).Out));
    }

    [Fact]
    public async Task Three_runs_for_a_pull_request()
    {
        await ThreeMeasuredAsync();
        Snapshot.Match(Steady((await RunAsync("diff", "1", "2", "3", "--markdown")).Out));
    }

    [Fact]
    public async Task Three_runs_as_JSON_have_their_values_in_the_order_of_the_runs()
    {
        await ThreeMeasuredAsync();
        var diff = (await RunAsync("diff", "3", "1", "2", "--json")).Json;
        Assert.Equal(["000003", "000001", "000002"], diff["runs"]!.AsArray().Select(run => ((string)run!["run"]!)[..6]));
        Assert.Equal(["smoke", null, null], diff["runs"]!.AsArray().Select(run => (string?)run!["profile"]));
        Assert.Equal(["NotDecidable", "DidNotHold", "Held"], diff["claims"]![0]!["verdicts"]!.AsArray().Select(verdict => (string?)verdict));
        var measure = diff["measures"]!.AsArray().Single(one => (string?)one!["stage"] == "gaps@40")!;
        Assert.Equal(("gap", "pp"), ((string?)measure["measure"], (string?)measure["unit"]));
        Assert.Equal([3.0, 1, 2], measure["values"]!.AsArray().Select(value => (double)value!["value"]!));
        Assert.Equal(3, ((JsonArray)diff["stages"]![0]!["keys"]!).Count);
    }

    // A claim that a gap is at least 1.5 pp: of two seeds below it, above it, and of one seed.
    private async Task ThreeMeasuredAsync()
    {
        Kinds = [.. Kinds, new GapStage(), new ClaimStage()];
        Write("p.yaml", """
            name: gaps
            params: { gap: 1, seeds: [40, 45], bound: 1.5 }
            profiles: { smoke: { params: { gap: 3, seeds: [40] } } }
            stages:
              gaps: { uses: gap, matrix: { seed: "${{ params.seeds }}" }, with: { value: "${{ params.gap }}" } }
              large: { uses: claim, needs: { measures: gaps }, with: { sentence: Gaps are large, measure: gap, cases: [{ left: [], at-least: "${{ params.bound }}" }] } }
            """);
        foreach (var flags in new[] { "--device=cpu", "--set=params.gap=2", "--profile=smoke" }) await RunAsync("run", "p.yaml", "-j", "1", flags);
    }

    private const string Parameterised = """
        name: words
        params: { word: one, list: [1] }
        stages:
          first: { uses: write, with: { text: "${{ params.word }}" } }
          other: { uses: write, with: { text: other } }
        """;

    private static (string?, string?, string?) Values(System.Text.Json.Nodes.JsonNode value) =>
        ((string?)value["name"], (string?)value["values"]![0], (string?)value["values"]![1]);

    private static string Steady(string text) => System.Text.RegularExpressions.Regex.Replace(
        System.Text.RegularExpressions.Regex.Replace(text, @"(\d{6})-[0-9a-f]{4}", "$1-xxxx"), @"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "then");
}
