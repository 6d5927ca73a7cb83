using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Tests;

/// <summary>Profiles: named values of a pipeline's parameters, and results that say which made them.</summary>
public sealed class ProfileTests : IDisposable
{
    private const string Yaml = """
        params: { rank: 64, word: long, threads: 2 }
        compute: { threads: "${{ params.threads }}" }
        profiles:
          smoke: { description: in minutes, params: { rank: 4, threads: 1 } }
          paper:
        stages:
          train: { uses: text, with: { text: "${{ params.word }}", rank: "${{ params.rank }}" } }
          shared: { uses: text, with: { text: same } }
          result: { uses: sign, needs: { data: shared } }
        """;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void A_profile_changes_parameters_and_so_what_is_computed_with()
    {
        Assert.Equal((64, 2), Values(Load(null)));
        Assert.Equal((4, 1), Values(Load("smoke")));
        Assert.Equal((64, 2), Values(Load("paper")));
        Assert.Equal((null, "smoke", "paper"), (Load(null).Profile, $"{Load("smoke").Profile}", $"{Load("paper").Profile}"));
        Assert.Equal(["smoke: in minutes", "paper: "], Load(null).Profiles.Select(profile => $"{profile.Key}: {profile.Value}"));
        Assert.Equal("4", Load("smoke").Parameters["rank"]);
    }

    [Theory]
    [InlineData("smoke")]
    [InlineData("smoke, with other rank", "params.rank=5")]
    [InlineData("smoke, with other rank, threads and word", "params.word=short", "params.rank=5", "params.threads=3")]
    [InlineData("smoke", "params.rank=4", "train.text=x", "seed=3")]
    public void A_set_wins_and_the_result_does_not_pass_for_the_profiles_own(string told, params string[] sets)
    {
        var pipeline = Load("smoke", sets);
        Assert.Equal(told, pipeline.Profile!.ToString());
        Assert.Equal(told, pipeline.Instances.Single(instance => instance.Name == "result").Profile);
        if (sets.Contains("params.rank=5")) Assert.Equal(5, Values(pipeline).Rank);
    }

    [Fact]
    public void Local_values_win_over_a_profile_too()
    {
        _box.Write("ssti.local.yaml", "set: { params.rank: 7 }");
        var loaded = PipelineLoader.Load(_box.Write("p.yaml", Yaml), [], Catalog(), local: true, profile: "smoke");
        Assert.Equal((7, "smoke, with other rank"), (Values(loaded.Pipeline!).Rank, loaded.Pipeline!.Profile!.ToString()));
    }

    [Fact]
    public void Included_files_bring_profiles_and_the_including_one_wins_parameter_by_parameter()
    {
        _box.Write("data.yaml", "params: { limit: 0 }\nprofiles: { smoke: { params: { limit: 3 } }, tiny: { params: { limit: 1 } } }");
        _box.Write("rows.yaml", "params: { rank: 64, steps: 500 }\nprofiles: { smoke: { params: { rank: 2, steps: 5 } } }");
        var pipeline = Loaded(_box.Write("p.yaml", """
            include: [data.yaml, rows.yaml]
            params: { steps: 400 }
            profiles: { smoke: { params: { rank: 1 } } }
            stages: { a: { uses: text, with: { text: x } } }
            """), "smoke").Pipeline!;
        Assert.Equal(("3", "1", "5"), (pipeline.Parameters["limit"], pipeline.Parameters["rank"], pipeline.Parameters["steps"]));
        Assert.Equal(["smoke", "tiny"], pipeline.Profiles.Keys.Order());
    }

    [Theory]
    [InlineData("smok", "", "--profile smok: error SSTI4003: unknown profile 'smok'; did you mean 'smoke'?\n  profiles of this pipeline: smoke, paper")]
    [InlineData(
        null, "  gpu: { params: { rnk: 4 } }",
        "p.yaml(6,20): error SSTI2003: unknown parameter 'rnk'; did you mean 'rank'?\n"
        + "  parameters that the profile 'gpu' may set: rank, word, threads")]
    [InlineData(null, "  gpu: { compute: { threads: 1 } }", "p.yaml(6,10): error SSTI2003: a profile changes parameters only, not 'compute'\n  give 'compute' a parameter")]
    [InlineData(null, "  gpu: { parms: {} }", "p.yaml(6,10): error SSTI2003: unknown key 'parms'; did you mean 'params'?")]
    [InlineData(null, "  gpu: 5", "p.yaml(6,8): error SSTI2001: the profile 'gpu' must be a mapping, not the integer 5")]
    [InlineData(null, "  gpu: { params: [rank] }", "p.yaml(6,18): error SSTI2001: 'params' must be a mapping")]
    [InlineData(null, "  a b: {}", "p.yaml(6,3): error SSTI2006: 'a b' cannot name a profile")]
    public void Mistakes_are_told_with_their_place_whichever_profile_is_asked_for(string? profile, string line, string error)
    {
        var lines = Yaml.Split('\n').ToList();
        if (line.Length > 0) lines.Insert(5, line);
        var result = Loaded(_box.Write("p.yaml", string.Join('\n', lines)), profile);
        Assert.Null(result.Pipeline);
        Assert.Contains(error, string.Join('\n', result.Diagnostics).Replace(_box.Folder + "/", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_included_files_that_set_one_parameter_are_not_decided_between()
    {
        _box.Write("a.yaml", "params: { rank: 64 }\nprofiles: { smoke: { params: { rank: 2 } } }");
        _box.Write("b.yaml", "profiles: { smoke: { params: { rank: 3 } } }");
        var result = Loaded(_box.Write("p.yaml", "include: [a.yaml, b.yaml]\nstages: { a: { uses: text, with: { text: x } } }"), "smoke");
        Assert.Contains("b.yaml(1,32): error SSTI2007: the profile 'smoke' sets 'rank' twice", string.Join('\n', result.Diagnostics));
    }

    [Fact]
    public void It_stands_in_the_keys_of_those_who_tell_it_and_without_one_in_none()
    {
        var keys = new KeyBuilder(_box.Probe);
        string Key(string? profile, string stage) => keys.WithoutInputs(Load(profile).Instances.Single(instance => instance.Name == stage)).ToJsonString();
        Assert.Equal(Key("smoke", "shared"), Key(null, "shared"));
        Assert.DoesNotContain("profile", Key(null, "result"));
        Assert.Contains("\"profile\":\"smoke\"", Key("smoke", "result"));
    }

    [Fact]
    public async Task A_cached_result_never_claims_another_profile_and_what_costs_is_shared()
    {
        var own = await _box.Run(Load(null));
        var smoke = await _box.Run(Load("smoke"));
        var paper = await _box.Run(Load("paper"));
        Assert.Equal(("none", "smoke", "paper"), (await _box.Text(own, "result"), await _box.Text(smoke, "result"), await _box.Text(paper, "result")));
        Assert.Equal((StageState.Cached, StageState.Done), (State(smoke, "shared"), State(smoke, "train")));
        Assert.Equal(StageState.Cached, State(paper, "train"));
        var runs = new RunHistory(_box.Workspace);
        Assert.Equal(["paper", "smoke", null], runs.Ids.Select(id => runs.Read(id)!.Profile));
        Assert.All((await _box.Runner().PlanAsync(Load("smoke"), Planning.RunSelection.All)).Stages, stage => Assert.Empty(stage.Reasons));

        static StageState State(RunResult run, string stage) => run.Stages.Single(one => one.Instance.Name == stage).State;
    }

    [Fact]
    public async Task Reasons_and_estimates_come_from_runs_of_the_same_profile()
    {
        await _box.Run(Load("smoke"));
        var full = (await _box.Runner().PlanAsync(Load(null), Planning.RunSelection.All)).Stages.Single(stage => stage.Instance.Name == "train");
        Assert.Equal(("no record", null), (string.Join("; ", full.Reasons), full.Estimate));
        var other = await _box.Runner().PlanAsync(Load("smoke", "params.word=y"), Planning.RunSelection.All);
        Assert.Equal("parameter text changed from \"long\" to \"y\"", string.Join("; ", other.Stages.Single(stage => stage.Instance.Name == "train").Reasons));
        Assert.Equal("profile changed from \"smoke\" to \"smoke, with other word\"",
            string.Join("; ", other.Stages.Single(stage => stage.Instance.Name == "result").Reasons));
    }

    private static (int Rank, int Threads) Values(Pipeline pipeline) => (((TextParameters)pipeline.Instances[0].Parameters).Rank, pipeline.Instances[0].Compute.Threads);

    private static StageCatalog Catalog() => TestKinds.Catalog(new SignKind());

    private static PipelineResult Loaded(string path, string? profile, params string[] sets) => PipelineLoader.Load(path, sets, Catalog(), profile: profile);

    private Pipeline Load(string? profile, params string[] sets)
    {
        var result = Loaded(_box.Write("p.yaml", Yaml), profile, sets);
        Assert.True(result.Pipeline is not null, string.Join('\n', result.Diagnostics));
        return result.Pipeline!;
    }

    /// <summary>Writes the profile that it is given.</summary>
    private sealed class SignKind : StageKind<NoParameters>
    {
        public override string Name => "sign";

        public override int Version => 1;

        public override string Summary => "Tells its profile.";

        public override bool TellsProfile => true;

        public override bool UsesSeed(NoParameters parameters) => false;

        public override IReadOnlyList<StageInput> Inputs => [new("data", "a text")];

        public override Task RunAsync(NoParameters parameters, StageContext context, CancellationToken cancellation) =>
            File.WriteAllTextAsync(context.Output("text.txt"), context.Profile ?? "none", cancellation);
    }
}
