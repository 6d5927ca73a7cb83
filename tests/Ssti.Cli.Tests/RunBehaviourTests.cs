using System.Text.Json.Nodes;

namespace Ssti.Cli.Tests;

/// <summary>What decides how a run goes: selection, limits, retries, interruption, estimates.</summary>
public sealed class RunBehaviourTests : CliFixture
{
    private const string Diamond = """
        name: diamond
        stages:
          top: { uses: write, with: { text: top } }
          left: { uses: write, needs: { data: top }, matrix: { n: [1, 2] }, with: { text: "left ${{ matrix.n }}" } }
          right: { uses: write, needs: { data: top }, with: { text: right } }
          bottom: { uses: write, needs: { data: [left, right] }, matrix: { all: [x] }, with: { text: bottom } }
        """;

    public RunBehaviourTests() => Kinds = [new WriteStage(), new WaitStage(), new FlakyStage(), new StubbornStage(), new NapStage()];

    [Theory]
    [InlineData("top=done left@1=done left@2=done", "--until", "left")]
    [InlineData("top=done left@2=done", "--until", "left@2")]
    [InlineData("top=done left@1=done left@2=done", "--until", "l*")]
    [InlineData("top=done right=done left@2=done", "--until", "right", "--until", "*@2")]
    [InlineData("top=done", "--only", "t?p")]
    public async Task Globs_select_what_runs(string expected, params string[] selection)
    {
        Write("p.yaml", Diamond);
        Assert.Equal(expected.Split(' ').Order(), States(await RunAsync(["run", "p.yaml", "--json", .. selection])).Order());
    }

    [Fact]
    public async Task From_and_only_use_what_is_cached_above_and_say_so_when_it_is_not()
    {
        Write("p.yaml", Diamond);
        var early = await RunAsync("run", "p.yaml", "--only", "right");
        Assert.Equal(1, early.Code);
        Assert.Contains("skipped", early.Out);
        await RunAsync("run", "p.yaml");
        Assert.Equal(["bottom@x=cached", "left@1=cached", "left@2=cached", "right=done", "top=cached"],
            States(await RunAsync("run", "p.yaml", "--json", "--from", "right", "-f", "right")).Order());
        Assert.Equal(["right=done", "top=cached"], States(await RunAsync("run", "p.yaml", "--json", "--only", "right", "--force", "*")).Order());
        Assert.Equal(["left@1=cached", "left@2=done", "top=cached"], States(await RunAsync("run", "p.yaml", "--json", "--until", "left", "-f", "left@2")).Order());
    }

    [Fact]
    public async Task A_flaky_stage_is_tried_again_as_often_as_it_may_be()
    {
        Write("p.yaml", "stages: { f: { uses: flaky, retries: 1, with: { failures: 1 } } }");
        var run = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal((0, 2), (run.Code, (int)run.Json["stages"]![0]!["attempts"]!));
        Assert.Contains("f: attempt 1 failed (not yet); trying again", run.Error);

        Write("q.yaml", "stages: { f: { uses: flaky, with: { failures: 7 } } }");
        var given = await RunAsync("run", "q.yaml");
        Assert.Equal(1, given.Code);
        Assert.Contains("f failed: not yet", given.Error);
    }

    [Fact]
    public async Task A_stage_that_takes_too_long_fails_by_its_timeout()
    {
        Write("p.yaml", "stages: { w: { uses: wait, timeout: 1s } }");
        var run = await RunAsync("run", "p.yaml").WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(1, run.Code);
        Assert.Contains("w failed: took longer than its timeout of 00:00:01", run.Error);
    }

    [Theory]
    [InlineData("resources: { memory: 6GB }", "--memory", "8GB")]
    [InlineData("resources: { gpu: 1 }", "--gpus", "1")]
    [InlineData("resources: { gpu: 2 }", "--gpus", "3")]
    public async Task Stages_that_do_not_fit_together_run_one_after_the_other(string resources, params string[] limit)
    {
        Write(
            "p.yaml",
            $"stages: {{ n: {{ uses: nap, matrix: {{ i: [120, 121, 122] }}, compute: {{ threads: 1 }}, {resources}, with: {{ milliseconds: "
            + $"\"${{{{ matrix.i }}}}\" }} }} }}");
        Assert.Equal(0, (await RunAsync(["run", "p.yaml", "-j", "8", .. limit])).Code);
        var slices = JsonNode.Parse((await RunAsync("trace")).Out)!["traceEvents"]!.AsArray().Where(e => (string?)e!["cat"] == "nap").ToList();
        Assert.Equal(3, slices.Count);
        Assert.Equal([1], slices.Select(slice => (int)slice!["tid"]!).Distinct());
    }

    [Fact]
    public async Task Stages_that_fit_together_run_together()
    {
        Write(
            "p.yaml",
            "stages: { n: { uses: nap, matrix: { i: [700, 701, 702] }, compute: { threads: 1 }, resources: { memory: 2GB }, with: { "
            + "milliseconds: \"${{ matrix.i }}\" } } }");
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "-j", "8", "--memory", "8GB")).Code);
        var slices = JsonNode.Parse((await RunAsync("trace")).Out)!["traceEvents"]!.AsArray().Where(e => (string?)e!["cat"] == "nap");
        Assert.True(slices.Select(slice => (int)slice!["tid"]!).Distinct().Count() > 1);
    }

    [Fact]
    public async Task A_stage_that_does_not_listen_cannot_hold_up_an_interruption()
    {
        Write("p.yaml", "stages: { first: { uses: write }, s: { uses: stubborn } }");
        using var interrupt = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var run = await RunAsync(["run", "p.yaml", "-j", "2", "--json"], interrupt.Token).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((130, "cancelled"), (run.Code, (string?)run.Json["outcome"]));
        Assert.True((double)run.Json["seconds"]! < 60);
        Assert.Equal(["first=cached", "s=run"], (await RunAsync("plan", "p.yaml", "--json")).Json["stages"]!.AsArray()
            .Select(stage => $"{stage!["stage"]}={stage["state"]}").Order());
    }

    [Fact]
    public async Task Estimates_come_from_the_past_and_from_siblings()
    {
        Write("p.yaml", "stages: { n: { uses: nap, matrix: { i: [1, 2, 3] }, with: { milliseconds: \"${{ matrix.i }}\" } } }");
        var first = await RunAsync("run", "p.yaml", "-j", "1");
        Assert.Contains("3 to run; work: unknown", first.Error);
        Assert.Matches(@"n@1: done in .* \(1/3, ~.* left\)", first.Error);
        Assert.Matches(@"n@2: started, estimate ~.*, from 1 cell of this run", first.Error);
        Assert.Matches(@"n@3: started, estimate ~.*, from 2 cells of this run", first.Error);
        Assert.Matches(@"n@3: done in .* \(3/3\)", first.Error);
        await RunAsync("run", "p.yaml", "-f", "*");
        Assert.Matches(@"3 to run; work: ~.*, from 2 runs", (await RunAsync("plan", "p.yaml", "-f", "n")).Out);
    }

    [Fact]
    public async Task A_trifle_of_unknown_time_does_not_make_the_rest_unknown()
    {
        Write("p.yaml", "stages: { n: { uses: nap, matrix: { i: [1, 2] }, with: { milliseconds: \"${{ matrix.i }}\" } }, table: { uses: write } }");
        await RunAsync("run", "p.yaml", "--only", "n");
        var run = await RunAsync("run", "p.yaml", "-j", "1", "-f", "n");
        Assert.Matches("3 to run; work: ~.*, from 1 run and 1 stage of unknown time", run.Error);
        Assert.Matches(@"n@1: done in .* \(1/3, ~.* and 1 stage of unknown time left\)", run.Error);
    }

    [Fact]
    public async Task Local_values_beside_a_pipeline_hold_until_told_otherwise_and_a_line_says_so()
    {
        Write("sub/p.yaml", "stages: { first: { uses: write, with: { text: one } } }");
        Write("sub/ssti.local.yaml", "set: { first.text: local, other.source: nowhere }");
        var run = await RunAsync("run", "sub/p.yaml", "--json");
        Assert.Contains("local values of ~/sub/ssti.local.yaml: first.text (of other pipelines: other.source)\n", run.Error);
        Assert.Equal(5, (int?)run.Json["stages"]![0]!["metrics"]!["letters"]);
        Assert.Contains("local values", (await RunAsync("plan", "sub/p.yaml")).Error);
        Assert.Contains("writing local", (await RunAsync("log", "first", "-p", "sub/p.yaml")).Out);
        var without = await RunAsync("run", "sub/p.yaml", "--no-local", "--json");
        Assert.DoesNotContain("local values", without.Error);
        Assert.Equal(3, (int?)without.Json["stages"]![0]!["metrics"]!["letters"]);
        Write("sub/ssti.local.yaml", "set: { first.txt: local }");
        var wrong = await RunAsync("plan", "sub/p.yaml");
        Assert.Equal(2, wrong.Code);
        Assert.Contains("sub/ssti.local.yaml(1,8): error", wrong.Error);
    }

    [SkippableFact]
    public async Task Local_values_in_a_pipe_are_refused_and_nobody_waits_for_them()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "pipes are made by mkfifo");
        Write("p.yaml", "stages: { first: { uses: write } }");
        System.Diagnostics.Process.Start("mkfifo", [Path.Combine(Folder, "ssti.local.yaml")]).WaitForExit();
        var refused = await RunAsync("plan", "p.yaml").WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(2, refused.Code);
        Assert.Contains("ssti.local.yaml' is a pipe or a device, not a file", refused.Error);
    }

    [Fact]
    public async Task Status_of_a_large_pipeline_stays_one_screen_and_shows_what_has_something_to_do()
    {
        Write("p.yaml", "stages:\n" + string.Concat(Enumerable.Range(0, 120)
            .Select(i => $"  s{i}: {{ uses: write, matrix: {{ n: [1, 2] }}, with: {{ text: \"{i} ${{{{ matrix.n }}}}\" }} }}\n")));
        await RunAsync("run", "p.yaml");
        var status = await RunAsync("status", "p.yaml", "--set", "s99.text=changed");
        Assert.True(status.Out.Split('\n').Length < 40);
        Assert.Contains("parameter text changed from \"99 1\" to \"changed\"", status.Out);
        Assert.Contains("and 95 more stages, 95 of them cached", status.Out);
        Assert.Equal(120, (await RunAsync("status", "p.yaml", "-v")).Out.Split('\n').Count(line => line.StartsWith('s') && line.Contains("write")));
    }

    private static IEnumerable<string> States(Answer run) => run.Json["stages"]!.AsArray().Select(stage => $"{stage!["stage"]}={stage["state"]}");
}
