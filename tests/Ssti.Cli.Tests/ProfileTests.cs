using Ssti.Engine.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>--profile</c>: on every verb that reads a pipeline, and in all that tells of a run.</summary>
public sealed class ProfileTests : CliFixture
{
    private const string Yaml = """
        name: sized
        description: Of two sizes.
        params: { word: long }
        profiles: { smoke: { description: in no time, params: { word: short } }, paper: {} }
        stages:
          first: { uses: write, with: { text: "${{ params.word }}" } }
          shared: { uses: write, with: { text: same } }
          result: { uses: sign, needs: { data: shared } }
        """;

    public ProfileTests()
    {
        Kinds = [.. Kinds, new SignStage()];
        Write("p.yaml", Yaml);
    }

    [Fact]
    public async Task A_run_is_told_with_its_profile_everywhere()
    {
        Assert.DoesNotContain("profile", (await RunAsync("run", "p.yaml")).Out);
        var run = await RunAsync("run", "p.yaml", "--profile", "smoke");
        Assert.Matches("^Run 000002-...., profile smoke: succeeded in .*; 2 executed, 1 cached", run.Out);
        Assert.Equal("smoke", (string?)(await RunAsync("run", "p.yaml", "--profile", "smoke", "--json")).Json["profile"]);
        Assert.Equal("smoke", (string?)(await RunAsync("show", "2", "--json")).Json["profile"]);
        Assert.Contains("profile: smoke", (await RunAsync("show", "2")).Out);
        Assert.Matches(@"000002-....  20..-..-.. ..:..  sized     smoke    succeeded", (await RunAsync("runs")).Out);
        Assert.Equal(["smoke", "smoke", null], (await RunAsync("runs", "--json")).Json["runs"]!.AsArray().Select(one => (string?)one!["profile"]));
        Assert.Contains("(sized, profile smoke, ", (await RunAsync("diff", "1", "2")).Out);
        Assert.Contains(", profile smoke", (await RunAsync("trace", "2", "--html")).Out);
        await RunAsync("run", "p.yaml", "--profile", "smoke", "--set", "params.word=mine");
        Assert.Equal("smoke, with other word", (string?)(await RunAsync("show", "last", "--json")).Json["profile"]);
    }

    [Fact]
    public async Task Every_verb_on_a_pipeline_takes_it()
    {
        Assert.Contains("Plan of sized, profile smoke", (await RunAsync("plan", "p.yaml", "--profile", "smoke")).Out);
        await RunAsync("run", "p.yaml", "--profile", "smoke");
        var plan = (await RunAsync("plan", "p.yaml", "--profile", "smoke", "--json")).Json;
        Assert.Equal(("smoke", false, "in no time"), ((string?)plan["profile"], (bool)plan["stale"]!, (string?)plan["profiles"]!["smoke"]));
        Assert.True((bool)(await RunAsync("plan", "p.yaml", "--json")).Json["stale"]!);
        Assert.Contains("first: cached", (await RunAsync("why", "p.yaml", "first", "--profile", "smoke")).Out);
        Assert.Contains("first: would run", (await RunAsync("why", "p.yaml", "first", "--profile", "paper")).Out);
        Assert.StartsWith("sized, profile smoke: Of two sizes.", (await RunAsync("status", "p.yaml", "--profile", "smoke")).Out);
        Assert.Matches("last run 000001-...., profile smoke at", (await RunAsync("status", "p.yaml")).Out);
        Assert.DoesNotContain("would run", (await RunAsync("graph", "p.yaml", "--profile", "smoke")).Out);
        Assert.Contains("document.profile: smoke", (await RunAsync("show", "p.yaml", "result", "--profile", "smoke")).Out.Replace("  profile: smoke", "document.profile: smoke"));
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "result", "out", "--profile", "smoke")).Code);
        Assert.Equal("smoke", File.ReadAllText(Path.Combine(Folder, "out/text.txt")));
        Assert.Equal(0, (await RunAsync("verify", "p.yaml", "--rerun", "3", "--profile", "smoke")).Code);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question", "--profile", "paper")).Code);
    }

    [Theory]
    [InlineData("--profile smok: error SSTI4003: unknown profile 'smok'; did you mean 'smoke'?", "run", "p.yaml", "--profile", "smok")]
    [InlineData("--profile : error SSTI4003: unknown profile ''", "plan", "p.yaml", "--profile", "")]
    [InlineData("belong to a pipeline; 'last' is none", "show", "last", "--profile", "smoke")]
    public async Task What_is_no_profile_is_an_error(string words, params string[] arguments)
    {
        var answer = await RunAsync(arguments);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.Contains(words, answer.Error);
    }

    [Fact]
    public async Task What_any_profile_uses_is_kept_from_collection()
    {
        await RunAsync("run", "p.yaml", "--profile", "smoke");
        await RunAsync("run", "p.yaml");
        var named = await RunAsync("gc", "p.yaml", "--keep-last", "0", "--json", "--profile", "paper");
        Assert.Equal(3, named.Json["records"]!.AsArray().Count);
        Assert.Empty((await RunAsync("gc", "p.yaml", "--keep-last", "0", "--yes", "--json")).Json["records"]!.AsArray());
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--profile", "smoke")).Code);
    }

    /// <summary>Writes the profile that it is given.</summary>
    private sealed class SignStage : StageKind<WaitParameters>
    {
        public override string Name => "sign";

        public override int Version => 1;

        public override string Summary => "Tells its profile.";

        public override bool TellsProfile => true;

        public override IReadOnlyList<StageInput> Inputs => [new("data", "anything")];

        public override Task RunAsync(WaitParameters parameters, StageContext context, CancellationToken cancellation) =>
            File.WriteAllTextAsync(context.Output("text.txt"), context.Profile ?? "none", cancellation);
    }
}
