using Snapshooter;
using Snapshooter.Xunit;

namespace Ssti.Cli.Tests;

public sealed class ReportTests : CliFixture
{
    [Fact]
    public async Task A_plan_of_a_fresh_pipeline()
    {
        Write("p.yaml", TwoStages);
        Snapshot.Match((await RunAsync("plan", "p.yaml")).Out);
    }

    [Fact]
    public async Task A_plan_as_json_parses_and_carries_reasons()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var plan = await RunAsync("plan", "p.yaml", "--json", "--set", "first.text=two");
        Assert.True((bool?)plan.Json["stale"]);
        var reason = plan.Json["stages"]![0]!["reasons"]![0]!;
        Assert.Equal(("parameter-changed", "\"one\"", "\"two\""), ((string?)reason["kind"], (string?)reason["old"], (string?)reason["new"]));
        Assert.Equal("upstream-stale", (string?)plan.Json["stages"]![1]!["reasons"]![0]!["kind"]);
    }

    [Fact]
    public async Task Plan_with_question_exits_with_3_when_stale()
    {
        Write("p.yaml", TwoStages);
        Assert.Equal(3, (await RunAsync("plan", "p.yaml", "--question")).Code);
        Assert.Equal(0, (await RunAsync("plan", "p.yaml")).Code);
    }

    [Fact]
    public async Task Why_names_the_parameter_with_both_values()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var why = await RunAsync("why", "p.yaml", "first", "--set", "first.text=two");
        Assert.Equal("first: would run\n  parameter text changed from \"one\" to \"two\"\n", why.Out);
        Assert.StartsWith("first: cached (key ", (await RunAsync("why", "p.yaml", "first")).Out);
        Assert.Equal("cached", (string?)(await RunAsync("why", "p.yaml", "first", "--json")).Json["stages"]![0]!["state"]);
    }

    [Fact]
    public async Task Status_fits_one_screen()
    {
        Write("p.yaml", TwoStages);
        Snapshot.Match((await RunAsync("status", "p.yaml")).Out);
    }

    [Fact]
    public async Task Status_tells_of_the_last_run()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("last run 000001-", (await RunAsync("status", "p.yaml")).Out);
        Assert.Equal("succeeded", (string?)(await RunAsync("status", "p.yaml", "--json")).Json["last-run"]!["outcome"]);
    }

    [Fact]
    public async Task Show_finds_a_stage_its_key_its_tree_its_file_and_its_run()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var stage = (await RunAsync("show", "p.yaml", "second@a", "--json")).Json["stages"]![0]!;
        Assert.Equal(("second@a", "two"), ((string?)stage["stage"], (string?)stage["made-by"]!["pipeline"]));
        Assert.Equal("a", (string?)stage["document"]!["parameters"]!["text"]);

        var (key, tree, file) = ((string)stage["key"]!, (string)stage["tree"]!, (string)stage["files"]![0]!["digest"]!);
        foreach (var digest in new[] { key[..12], tree[..12] })
            Assert.Equal(key, (string?)(await RunAsync("show", digest, "--json")).Json["stages"]![0]!["key"]);
        Assert.Equal("text.txt", (string?)(await RunAsync("show", file, "--json")).Json["in"]![0]!["file"]);
        foreach (var run in new[] { "last", "1" })
            Assert.Equal(3, (await RunAsync("show", run, "--json")).Json["stages"]!.AsArray().Count);
        Assert.Contains("made-by:\n  pipeline: two\n", (await RunAsync("show", key[..12])).Out);
    }

    [Theory]
    [InlineData("abcdef0123")]
    [InlineData("ab")]
    [InlineData("p.yaml")]
    public async Task Show_of_what_is_not_there_is_a_usage_error(string what)
    {
        Write("p.yaml", TwoStages);
        var show = await RunAsync("show", what);
        Assert.Equal((2, ""), (show.Code, show.Out));
        Assert.StartsWith("ssti: ", show.Error);
    }

    [Fact]
    public async Task Log_prints_what_a_stage_wrote()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("writing one", (await RunAsync("log", "first")).Out);
        await RunAsync("run", "p.yaml");
        var cached = await RunAsync("log", "first");
        Assert.Contains("writing one", cached.Out);
        Assert.Matches("^note: last is run 000002-.... of two, begun at .* UTC\nnote: first was cached in run 000002-....: this is from run 000001-...., which made it\n$",
            cached.Error);
        Assert.Contains("writing one", (await RunAsync("log", "first", "--run", "last~1")).Out);
        Assert.Contains("writing one", (await RunAsync("log", "first", "--run", "1")).Out);
        Assert.Equal(2, (await RunAsync("log", "third")).Code);
    }

    [Fact]
    public async Task Yaml_errors_carry_file_line_column_code_and_the_nearest_word()
    {
        Write("bad.yaml", """
            name: bad
            stages:
              first:
                uses: wirte
              second:
                uses: write
                needs: { data: frist }
              third:
                uses: write
                with: { text: 3, fial: true, crash: perhaps }
              fourth:
                uses: write
                with: { text: "" }
            """);
        var run = await RunAsync("run", "bad.yaml");
        Assert.Equal(2, run.Code);
        Snapshot.Match(run.Error);
        var json = (await RunAsync("run", "bad.yaml", "--json")).Json["diagnostics"]!.AsArray();
        Assert.Contains(json, diagnostic => (string?)diagnostic!["code"] == "SSTI2003" && (int?)diagnostic["line"] == 10);
    }

    [Fact]
    public async Task Help_of_the_whole() => Snapshot.Match((await RunAsync("--help")).Out);

    [Theory]
    [InlineData("run")]
    [InlineData("plan")]
    [InlineData("lock")]
    [InlineData("status")]
    [InlineData("why")]
    [InlineData("show")]
    [InlineData("log")]
    [InlineData("diff")]
    [InlineData("trace")]
    [InlineData("graph")]
    [InlineData("export")]
    [InlineData("push")]
    [InlineData("pull")]
    [InlineData("import")]
    [InlineData("convert")]
    [InlineData("verify")]
    [InlineData("gc")]
    public async Task Help(string verb) => Snapshot.Match((await RunAsync(verb, "--help")).Out, new SnapshotNameExtension(verb));

    [Fact]
    public async Task A_kind_is_explained_by_its_inputs_and_parameters() => Snapshot.Match((await RunAsync("kinds", "write")).Out);

    [Fact]
    public async Task Kinds_lists_all_and_refuses_what_is_none()
    {
        Assert.Contains("write  Writes a text.", (await RunAsync("kinds")).Out);
        Assert.Equal(2, (await RunAsync("kinds", "wirte")).Code);
        Assert.Equal("boolean", (string?)(await RunAsync("kinds", "write", "--json")).Json["kinds"]![0]!["parameters"]!["properties"]!["fail"]!["anyOf"]![0]!["type"]);
    }

    [Fact]
    public async Task The_schema_describes_every_kind_and_allows_no_other_key()
    {
        var schema = (await RunAsync("schema")).Json;
        Assert.Equal(["table", "wait", "write"], schema["$defs"]!["stage"]!["properties"]!["uses"]!["enum"]!.AsArray().Select(name => (string?)name));
        var write = schema["$defs"]!["write"]!;
        Assert.False((bool?)write["additionalProperties"]);
        Assert.Equal(["text", "file", "fail", "crash"], write["properties"]!["with"]!["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal("hello", (string?)write["properties"]!["with"]!["properties"]!["text"]!["default"]);
        Assert.Equal(["uses", "needs", "with"], schema["$defs"]!["table"]!["required"]!.AsArray().Select(name => (string?)name));
    }
}
