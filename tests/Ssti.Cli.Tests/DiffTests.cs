using Snapshooter.Xunit;

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
        Assert.Equal((3, 5), ((int)stage["metrics"]![0]!["before"]!, (int)stage["metrics"]![0]!["after"]!));
        Assert.Equal(64, ((string)stage["files"]![0]!["after"]!).Length);
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
        Assert.Matches(@"other +done +not in it", diff);
        Assert.Matches(@"0 stages differ, 1 equal, 1 only in 000001-", diff);
        Assert.DoesNotContain("Metrics", diff);
        Assert.Matches(@"0 stages differ, 1 equal, 1 only in 000001-", (await RunAsync("diff", "last", "last~1", "--markdown")).Out);
    }

    private const string Parameterised = """
        name: words
        params: { word: one, list: [1] }
        stages:
          first: { uses: write, with: { text: "${{ params.word }}" } }
          other: { uses: write, with: { text: other } }
        """;

    private static (string?, string?, string?) Values(System.Text.Json.Nodes.JsonNode value) =>
        ((string?)value["name"], (string?)value["before"], (string?)value["after"]);

    private static string Steady(string text) => System.Text.RegularExpressions.Regex.Replace(
        System.Text.RegularExpressions.Regex.Replace(text, @"(\d{6})-[0-9a-f]{4}", "$1-xxxx"), @"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "then");
}
