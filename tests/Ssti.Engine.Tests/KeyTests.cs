using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Parameters;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Engine.Tests;

public sealed class KeyTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void A_key_document_holds_every_parameter_and_no_path()
    {
        _box.Write("data.jsonl.gz", "hello");
        var pipeline = _box.Load("seed: 40\nstages: { a: { uses: text, with: { text: x, source: data.jsonl.gz, word-share: 1.0 }, salt: 2 } }");
        var document = new KeyBuilder(_box.Probe).Build(pipeline, pipeline.Instances[0], _ => default);

        Assert.Equal(
            """{"inputs":{},"kind":"text","parameters":{"big":null,"exact":false,"letter":"lower-case","nested":{"suffix":null,"times":1},"rank":8"""
            + ""","source":{"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","type":".jsonl.gz"}"""
            + ""","splits":["train"],"text":"x","word-share":1},"salt":"2","schema":2,"seed":6361737045279485253,"version":1}""",
            document.Text);
        Assert.Equal(Digest.Of(document.Text), document.Key);
    }

    /// <summary>People keep what they stored when a kind gets one more parameter.</summary>
    [Fact]
    public void A_parameter_added_later_stands_in_a_key_only_where_it_has_a_value()
    {
        var kind = new GrownKind();
        Assert.EndsWith("\"parameters\":{\"text\":\"x\"},\"schema\":2,\"version\":1}", Document("").Text);
        Assert.Equal(Document("").Text, Document(", more: null").Text);
        Assert.Contains("\"parameters\":{\"more\":3,\"text\":\"x\"}", Document(", more: 3").Text);
        // As a worker on another machine reads it.
        Assert.Equal(new GrownParameters { Text = "x" }, ParameterReader.Read(kind, Document("").ToJson()["parameters"]!.AsObject(), _ => null!));
        Assert.Equal(new GrownParameters { Text = "x", More = 3 }, ParameterReader.Read(kind, Document(", more: 3").ToJson()["parameters"]!.AsObject(), _ => null!));

        KeyDocument Document(string more)
        {
            var pipeline = _box.Load($"stages: {{ a: {{ uses: grown, with: {{ text: x{more} }} }} }}", TestKinds.Catalog(kind));
            return new KeyBuilder(_box.Probe).Build(pipeline, pipeline.Instances[0], _ => default);
        }
    }

    [Fact]
    public void Writing_a_default_out_or_moving_a_source_changes_no_key()
    {
        _box.Write("one/data.txt", "hello");
        _box.Write("two/other.txt", "hello");

        Assert.Equal(
            Key("stages: { a: { uses: text, with: { text: x, source: one/data.txt } } }"),
            Key("stages: { a: { uses: text, with: { rank: 8, text: x, source: two/other.txt } } }"));
    }

    [Fact]
    public void Numerics_stand_in_the_key_of_stages_with_tensors_only()
    {
        var kind = new DelegateKind("train", (_, _) => Task.CompletedTask, tensors: true);
        var pipeline = _box.Load("compute: { threads: 3 }\nstages: { t: { uses: train }, a: { uses: text, with: { text: x } } }", TestKinds.Catalog(kind));
        var keys = new KeyBuilder(_box.Probe);

        Assert.Contains(
            "\"numerics\":{\"device-class\":\"cpu-avx2\",\"dtype\":\"fp32\",\"libtorch\":\"2.10.0\",\"tf32\":false,\"threads\":3}",
            keys.Build(pipeline, pipeline.Instances[0], _ => default).Text);
        Assert.DoesNotContain("numerics", keys.Build(pipeline, pipeline.Instances[1], _ => default).Text);
    }

    [Theory]
    [InlineData("device: cuda, dtype: bf16", true)]
    [InlineData("device: cuda, dtype: fp32", false)]
    [InlineData("device: cpu, dtype: bf16", false)]
    public void Kernels_of_our_own_stand_in_the_key_where_they_compute(string compute, bool stand)
    {
        var kind = new DelegateKind("train", (_, _) => Task.CompletedTask, tensors: true);
        var pipeline = _box.Load($"compute: {{ {compute} }}\nstages: {{ t: {{ uses: train }} }}", TestKinds.Catalog(kind));

        Assert.Equal(stand, new KeyBuilder(_box.Probe).Build(pipeline, pipeline.Instances[0], _ => default).Text.Contains("\"kernels\":3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stage_that_draws_nothing_has_no_seed_in_its_key_and_may_be_renamed()
    {
        static string Yaml(string name = "calm", string seed = "1", string with = "") => $$"""
            seed: {{seed}}
            stages:
              {{name}}: { uses: still, with: { text: x{{with}} } }
              after: { uses: upper, needs: { data: {{name}} } }
            """;
        Pipeline Load(string yaml) => _box.Load(yaml, TestKinds.Catalog(new StillKind()));
        await _box.Run(Load(Yaml()));
        string Document(string yaml) => new KeyBuilder(_box.Probe).WithoutInputs(Load(yaml).Instances[0]).ToJsonString();

        Assert.DoesNotContain("seed", Document(Yaml()));
        Assert.Contains("\"seed\":", Document(Yaml(with: ", draws: true")));
        Assert.Equal(StageState.Cached, (await _box.Run(Load(Yaml(name: "renamed")))).Stages[0].State);
        Assert.Equal(StageState.Cached, (await _box.Run(Load(Yaml(seed: "2")))).Stages[0].State);
        // What draws by its parameters has one, and 'why' tells of it.
        var plan = await _box.Runner().PlanAsync(Load(Yaml(with: ", draws: true")), RunSelection.All);
        Assert.Matches("parameter draws changed from false to true; seed changed: added as [0-9]+", Told(plan, "calm"));
        Assert.Equal("0", await _box.Text(await _box.Run(Load(Yaml())), "calm"));
    }

    [Fact]
    public void Documents_of_two_forms_are_not_compared_further() => Assert.Equal(
        ["key schema changed from 1 to 2"],
        KeyDifference.Between(
            JsonNode.Parse("""{"schema":1,"seed":5,"parameters":{"source":"hf://a/b"}}""")!.AsObject(),
            JsonNode.Parse("""{"schema":2,"parameters":{"source":"hf://a/b@c"}}""")!.AsObject()).Select(r => r.ToString()));

    [Fact]
    public async Task Renaming_a_cell_rebuilds_only_who_reads_cells()
    {
        var yaml = """
            stages:
              a: { uses: text, matrix: { row: [base, other] }, with: { text: x } }
              b: { uses: upper, needs: { data: a } }
              t: { uses: join, needs: { parts: b } }
            """;
        await _box.Run(_box.Load(yaml));
        var renamed = await _box.Run(_box.Load(yaml.Replace("base", "control")));

        Assert.Equal([StageState.Cached, StageState.Cached, StageState.Cached, StageState.Cached, StageState.Done], renamed.Stages.Select(s => s.State));
        Assert.StartsWith("b@control[row=control]: X|8|\nb@other[row=other]", await _box.Text(renamed, "t"));
    }

    [Fact]
    public async Task Every_kind_of_change_is_told_with_old_and_new_value()
    {
        _box.Write("data.txt", "hello");
        var version = 1;
        string Yaml(string more = "rank: 8", string seed = "40", string extra = "") => $$"""
            seed: {{seed}}
            stages:
              a: { uses: text, with: { text: x, {{more}}, source: data.txt }{{extra}} }
              t: { uses: train }
            """;
        Task<Plan> Plan(string yaml) =>
            _box.Runner().PlanAsync(_box.Load(yaml, TestKinds.Catalog(new DelegateKind("train", (_, _) => Task.CompletedTask, tensors: true, version: version))), RunSelection.All);
        await _box.Run(_box.Load(Yaml(), TestKinds.Catalog(new DelegateKind("train", (_, _) => Task.CompletedTask, tensors: true))));

        Assert.False((await Plan(Yaml())).IsStale);
        Assert.Equal("parameter rank changed from 8 to 16", Told(await Plan(Yaml("rank: 16")), "a"));
        Assert.Equal("parameter nested.suffix changed from null to \"s\"", Told(await Plan(Yaml("nested: { suffix: s }")), "a"));
        Assert.StartsWith("seed changed from", Told(await Plan(Yaml(seed: "41")), "a"));
        Assert.Equal("salt changed: added as \"s\"", Told(await Plan(Yaml(extra: ", salt: s")), "a"));
        Assert.Equal("numerics.threads", (await Plan("compute: { threads: 7 }\n" + Yaml())).Stages[1].Reasons.Single().Field);
        version = 2;
        Assert.Equal("version of its kind changed from 1 to 2", Told(await Plan(Yaml()), "t"));
        version = 1;
        _box.Write("data.txt", "changed");
        Assert.StartsWith("parameter source changed from 2cf24dba5fb0 to ", Told(await Plan(Yaml()), "a"));
        Assert.EndsWith("(content of the source)", Told(await Plan(Yaml()), "a"));
    }

    [Fact]
    public async Task A_stage_that_never_ran_has_no_record_and_one_behind_a_stale_one_waits()
    {
        var plan = await _box.Runner().PlanAsync(_box.Load("stages: { a: { uses: text, with: { text: x } }, b: { uses: upper, needs: { data: a } } }"), RunSelection.All);

        Assert.Equal("no record", Told(plan, "a"));
        Assert.Equal("upstream a is stale", Told(plan, "b"));
        Assert.Null(plan.Stages[1].Key);
        Assert.False(Directory.Exists(_box.Store.Location));
    }

    [Fact]
    public async Task A_lost_blob_is_a_miss_with_a_warning_and_is_rebuilt()
    {
        var pipeline = _box.Load("stages: { a: { uses: text, with: { text: x } } }");
        var run = await _box.Run(pipeline);
        var blob = (await _box.Store.TreeAsync(run.Stages[0].Tree!.Value)).Files[0].Digest;
        File.Delete(_box.Store.PathOf(blob));
        var plan = await _box.Runner().PlanAsync(pipeline, RunSelection.All);
        var again = await _box.Run(pipeline);

        Assert.Equal(ReasonKind.OutputMissing, plan.Stages[0].Reasons.Single().Kind);
        Assert.Contains($"'text.txt' ({blob.Short}) is missing", plan.Warnings.Single());
        Assert.Equal(run.Stages[0].Tree, again.Stages[0].Tree);
        Assert.Equal(StageState.Cached, (await _box.Run(pipeline)).Stages[0].State);
    }

    [Fact]
    public void Differences_are_found_field_by_field()
    {
        var before = JsonNode.Parse("""{"parameters":{"a":1,"gone":2},"inputs":{"data":["x"]}}""")!.AsObject();
        var now = JsonNode.Parse("""{"parameters":{"a":1.0,"new":[1]},"inputs":{"data":["y"]}}""")!.AsObject();

        Assert.Equal(
            ["parameter gone changed: 2 removed", "parameter new changed: added as [1]", "input data changed from [\"x\"] to [\"y\"]"],
            KeyDifference.Between(before, now).Select(r => r.ToString()));
    }

    private static string Told(Plan plan, string stage) => string.Join("; ", plan.Stages.Single(s => s.Instance.Name == stage).Reasons);

    private Digest Key(string yaml)
    {
        var pipeline = _box.Load(yaml);
        return new KeyBuilder(_box.Probe).Build(pipeline, pipeline.Instances[0], _ => default).Key;
    }
}
