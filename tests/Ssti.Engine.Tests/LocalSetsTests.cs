using Ssti.Engine.Pipelines;

namespace Ssti.Engine.Tests;

/// <summary><c>ssti.local.yaml</c> beside a pipeline: what is so on this machine only.</summary>
public sealed class LocalSetsTests : IDisposable
{
    private const string Yaml = """
        params: { prefix: p }
        stages:
          imdb: { uses: text, with: { text: "${{ params.prefix }}", rank: 3 } }
        """;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Theory]
    [InlineData("set: { imdb.rank: 5, params.prefix: q, compute.threads: 1, imdb.nested: { times: 4 } }")]
    [InlineData("set: [imdb.rank=5, params.prefix=q, compute.threads=1, 'imdb.nested={ times: 4 }']")]
    [InlineData("set:\n- imdb.rank = 5\n- params.prefix=q\n- compute.threads=1\n- imdb.nested.times=4\n")]
    public void Values_of_either_form_hold_before_those_of_the_command_line(string local)
    {
        var loaded = Load(local, "params.prefix=r");
        var parameters = Parameters(loaded);
        Assert.Equal(("r", 5, 4, 1), (parameters.Text, parameters.Rank, parameters.Nested.Times, loaded.Pipeline!.Instances[0].Compute.Threads));
        Assert.Equal(Path.Combine(_box.Folder, "ssti.local.yaml"), loaded.Local!.File);
        Assert.Contains("imdb.rank", loaded.Local.Used);
    }

    [Fact]
    public void A_later_compute_value_of_the_command_line_wins()
    {
        Assert.Equal(3, Load("set: { compute.threads: 1 }", "compute.threads=2", "compute.threads=3").Pipeline!.Instances[0].Compute.Threads);
    }

    [Fact]
    public void Paths_are_relative_to_the_file_and_may_lead_anywhere()
    {
        var outside = Path.Combine(Path.GetTempPath(), $"ssti-outside-{Guid.NewGuid():n}.txt");
        File.WriteAllText(outside, "x");
        try
        {
            var loaded = Load($"set: {{ imdb.source: {outside} }}");
            Assert.Equal(outside, Parameters(loaded).Source!.LocalPath);
            Assert.Equal(outside, Parameters(Load($"set: {{ imdb.source: ../{Path.GetFileName(outside)} }}")).Source!.LocalPath);
            Assert.Contains("relative to the file it is written in", string.Join('\n', Load("set: { imdb.source: ../nowhere.txt }").Diagnostics));
        }
        finally
        {
            File.Delete(outside);
        }
    }

    [Fact]
    public void What_is_of_another_pipeline_is_passed_over_and_told_and_a_slip_of_the_pen_is_said()
    {
        var loaded = Load("set: { imdb.rank: 5, mnli.source: /data/mnli, imbd.rank: 6 }");
        Assert.Equal("imdb.rank; mnli.source imbd.rank", $"{string.Join(' ', loaded.Local!.Used)}; {string.Join(' ', loaded.Local.PassedOver)}");
        Assert.Contains("ssti.local.yaml(1,47): warning SSTI4002: 'imbd.rank' is nothing of this pipeline and is passed over; did you mean 'imdb'?",
            Assert.Single(loaded.Diagnostics).ToString());
    }

    [Theory]
    [InlineData("set: { imdb.rnk: 5 }", "ssti.local.yaml(1,8): error SSTI")]
    [InlineData("set: { imdb.rank: many }", "ssti.local.yaml(1,19): error SSTI")]
    [InlineData("set:\n- imdb.rank\n", "ssti.local.yaml(2,3): error SSTI4001: expected name=value")]
    [InlineData("set:\n- imdb.rank=many\n", "ssti.local.yaml(2,3): error SSTI")]
    [InlineData("set:\n- imdb.nested=[\n", "ssti.local.yaml(2,3)")]
    [InlineData("set: 5", "ssti.local.yaml(1,6): error SSTI")]
    [InlineData("sets: {}", "ssti.local.yaml(1,1): error SSTI")]
    [InlineData("- a", "ssti.local.yaml(1,1): error SSTI")]
    [InlineData("set: { rank: 5 }", "ssti.local.yaml(1,8): error SSTI4001")]
    [InlineData("set: { a: 1", "ssti.local.yaml(")]
    public void Errors_point_into_the_file(string local, string expected)
    {
        var loaded = Load(local);
        Assert.Null(loaded.Pipeline);
        Assert.Contains(expected, string.Join('\n', loaded.Diagnostics));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing yet\n")]
    [InlineData("set:\n")]
    public void A_file_that_sets_nothing_is_no_error(string local) => Assert.Empty(Load(local).Local!.Used);

    [Fact]
    public void Without_the_file_or_when_not_asked_for_it_there_are_no_values()
    {
        Assert.Null(PipelineLoader.Load(_box.Write("p.yaml", Yaml), [], TestKinds.Catalog(), local: true).Local);
        Load("set: { imdb.rank: 5 }");
        var without = PipelineLoader.Load(Path.Combine(_box.Folder, "p.yaml"), [], TestKinds.Catalog());
        Assert.Equal((null, 3), (without.Local, Parameters(without).Rank));
    }

    private static TextParameters Parameters(PipelineResult loaded)
    {
        Assert.True(loaded.Pipeline is not null, string.Join('\n', loaded.Diagnostics));
        return (TextParameters)loaded.Pipeline!.Instances[0].Parameters;
    }

    private PipelineResult Load(string local, params string[] sets)
    {
        _box.Write("ssti.local.yaml", local);
        return PipelineLoader.Load(_box.Write("p.yaml", Yaml), sets, TestKinds.Catalog(), local: true);
    }
}
