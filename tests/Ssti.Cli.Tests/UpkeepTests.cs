using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

/// <summary><c>gc</c> and <c>verify</c>.</summary>
public sealed class UpkeepTests : CliFixture
{
    [Fact]
    public async Task Nothing_is_collected_without_yes()
    {
        await TwoRunsAsync();
        var dry = await RunAsync("gc", "--keep-last", "1");
        Assert.Equal(0, dry.Code);
        Assert.Contains("would remove: 1 run, 3 records, ", dry.Out);
        Assert.Contains("the same command with --yes does it", dry.Out);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question")).Code);

        var done = await RunAsync("gc", "--keep-last", "1", "--yes");
        Assert.StartsWith("removed: 1 run, 3 records, ", done.Out);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question")).Code);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--set", "first.text=two")).Code);
        Assert.Equal(0, (await RunAsync("verify")).Code);
    }

    [Fact]
    public async Task What_a_named_pipeline_uses_is_kept_whichever_run_made_it()
    {
        await TwoRunsAsync();
        Assert.True((await RunAsync("gc", "p.yaml", "--keep-last", "0", "--json")).Json["records"]!.AsArray().Count is var kept && kept == 3);
        await RunAsync("gc", "p.yaml", "--keep-last", "0", "--yes");
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question")).Code);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question", "--set", "first.text=two")).Code);
    }

    [Fact]
    public async Task Runs_are_kept_and_dropped_by_name_and_by_age()
    {
        await TwoRunsAsync();
        Assert.Single((await RunAsync("gc", "--keep-last", "0", "--keep-run", "1", "--json")).Json["runs"]!.AsArray());
        Assert.Single((await RunAsync("gc", "--drop-run", "last", "--json")).Json["runs"]!.AsArray());
        Assert.Empty((await RunAsync("gc", "--keep-last", "0", "--keep-since", "1d", "--json")).Json["runs"]!.AsArray());
        Assert.Equal(2, (await RunAsync("gc", "--keep-last", "0", "--keep-since", "2199-01-01", "--json")).Json["runs"]!.AsArray().Count);
        foreach (var wrong in (string[][])[["--keep-since", "soon"], ["--keep-last", "-1"], ["--keep-run", "9"], ["--keep-run", "1", "--drop-run", "1"],
            ["--yes", "-n"], ["absent.yaml"]])
            Assert.Equal((2, ""), ((await RunAsync(["gc", .. wrong])).Code, (await RunAsync(["gc", .. wrong])).Out));
    }

    [Fact]
    public async Task What_is_no_run_is_not_collected_with_the_runs()
    {
        await TwoRunsAsync();
        Write(".ssti/runs/notes/plan.txt", "mine");
        Write(".ssti/runs/readme", "mine");
        Directory.CreateDirectory(Path.Combine(Folder, ".ssti/runs/000009-dead"));
        Assert.StartsWith("removed: 3 runs, ", (await RunAsync("gc", "--keep-last", "0", "--yes")).Out);
        Assert.True(File.Exists(Path.Combine(Folder, ".ssti/runs/notes/plan.txt")));
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti/runs/000009-dead")));
    }

    [Fact]
    public async Task What_was_pulled_is_no_litter()
    {
        await TwoRunsAsync();
        await RunAsync("pull", ".ssti", "--store", "mine");
        var gc = await RunAsync("gc", "--store", "mine", "--keep-last", "0", "--yes");
        Assert.StartsWith("removed: 0 runs, 0 records, 0 blobs", gc.Out);
        Assert.Contains("6 stages that no run here ever used", gc.Out);
        Assert.Contains("removed: 0 runs, 6 records", (await RunAsync("gc", "--store", "mine", "--unused", "--yes")).Out);
    }

    [Fact]
    public async Task Nothing_is_collected_while_a_run_or_another_collection_is_at_it_nor_from_a_folder_that_is_no_store()
    {
        await TwoRunsAsync();
        var workspace = new Workspace(Path.Combine(Folder, ".ssti"));
        using (workspace.TryUse())
        {
            var gc = await RunAsync("gc", "--yes");
            Assert.Equal(1, gc.Code);
            Assert.Contains("is using the store", gc.Error);
        }

        using (workspace.TryOwn())
        {
            Assert.Equal(1, (await RunAsync("gc", "--yes")).Code);
            foreach (var verb in (string[][])[["run", "p.yaml"], ["verify", "--repair"], ["push", "shared"], ["import", "p.yaml"]])
                Assert.Contains("being collected", (await RunAsync(verb)).Error);
        }

        Write("home/tmp/0123456789abcdef0123456789abcdef", "precious");
        Assert.Equal(2, (await RunAsync("gc", "--yes", "--store", "home")).Code);
        Assert.True(File.Exists(Path.Combine(Folder, "home", "tmp", "0123456789abcdef0123456789abcdef")));
    }

    [Fact]
    public async Task Damage_is_found_with_exit_code_4_put_aside_and_rebuilt()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("all sound", (await RunAsync("verify")).Out);
        await DamageAsync(".ssti", "first");
        var found = await RunAsync("verify");
        Assert.Equal(4, found.Code);
        Assert.Contains("damaged: blob ", found.Out);
        Assert.Contains("ssti verify --repair", found.Error);

        var repaired = await RunAsync("verify", "--repair", "--json");
        Assert.Equal(4, repaired.Code);
        var aside = ((string)repaired.Json["damaged-blobs"]![0]!["quarantined"]!).Replace("~", Folder);
        Assert.True(File.Exists(aside));
        Assert.Contains("output missing or damaged", (await RunAsync("why", "p.yaml", "first")).Out);
        var again = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal(["done", "cached", "cached"], again.Json["stages"]!.AsArray().Select(stage => (string?)stage!["state"]));
        Assert.Equal(0, (await RunAsync("verify")).Code);
    }

    [Fact]
    public async Task A_stage_that_gives_other_bytes_is_named_with_its_first_differing_file()
    {
        Kinds = [new WriteStage(), new DiceStage()];
        Write("p.yaml", "stages: { fair: { uses: write }, loaded: { uses: dice } }");
        await RunAsync("run", "p.yaml");
        var rerun = await RunAsync("verify", "p.yaml", "--rerun", "5", "--seed", "1");
        Assert.Equal(4, rerun.Code);
        Assert.Contains("fair: the same bytes", rerun.Out);
        Assert.Matches("loaded: NOT DETERMINISTIC: the first file that differs is 'b.txt' \\(recorded [0-9a-f]{12}, now [0-9a-f]{12}\\)", rerun.Out);
        Assert.Equal(0, (await RunAsync("verify", "p.yaml", "--rerun", "5", "--stage", "fair")).Code);
        Assert.Equal("b.txt", (string?)(await RunAsync("verify", "p.yaml", "--rerun", "5", "--stage", "loaded", "--json")).Json["reruns"]![0]!["first-difference"]);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question")).Code);
    }

    [Theory]
    [InlineData(2, "verify", "--rerun", "3")]
    [InlineData(2, "verify", "p.yaml", "--rerun", "0")]
    [InlineData(2, "verify", "p.yaml", "--rerun", "1", "--stage", "third")]
    [InlineData(2, "verify", "--store", "absent")]
    [InlineData(3, "verify", "q.yaml", "--rerun", "1")]
    public async Task What_cannot_be_verified_is_said(int code, params string[] arguments)
    {
        Write("p.yaml", TwoStages);
        Write("q.yaml", "stages: { alone: { uses: write, with: { text: new } } }");
        await RunAsync("run", "p.yaml");
        var answer = await RunAsync(arguments);
        Assert.Equal(code, answer.Code);
        Assert.NotEmpty(answer.Error);
    }

    private async Task TwoRunsAsync()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Kinds = [.. Kinds];
        await RunAsync("run", "p.yaml", "--set", "first.text=two");
    }
}
