namespace Ssti.Cli.Tests;

public sealed class RunTests : CliFixture
{
    [Fact]
    public async Task A_run_executes_what_is_stale_and_a_second_one_nothing()
    {
        Write("p.yaml", TwoStages);
        var first = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal((0, "succeeded"), (first.Code, (string?)first.Json["outcome"]));
        Assert.Equal(["done", "done", "done"], first.Json["stages"]!.AsArray().Select(stage => (string?)stage!["state"]));
        Assert.Equal(3, (int?)first.Json["stages"]![0]!["metrics"]!["letters"]);

        var second = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal(["cached", "cached", "cached"], second.Json["stages"]!.AsArray().Select(stage => (string?)stage!["state"]));
    }

    [Fact]
    public async Task Without_a_terminal_each_stage_has_one_line_at_its_start_and_end_and_no_escape_codes()
    {
        Write("p.yaml", TwoStages);
        var run = await RunAsync("run", "p.yaml");
        Assert.Equal(3, run.Error.Split('\n').Count(line => line.Contains(": started, estimate ")));
        Assert.Equal(3, run.Error.Split('\n').Count(line => line.Contains(": done in")));
        Assert.DoesNotContain('\u001b', run.Out + run.Error);
        Assert.Contains("second", run.Out);
        Assert.Contains("3 executed, 0 cached", run.Out);
    }

    [Fact]
    public async Task A_forced_stage_says_how_long_it_took_before()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var again = await RunAsync("run", "p.yaml", "--force", "first");
        Assert.Contains("first: started, estimate ~", again.Error);
        Assert.Contains("from 1 run", again.Error);
        Assert.Contains("1 executed, 2 cached", again.Out);
    }

    [Fact]
    public async Task Quiet_leaves_nothing_to_say_of_a_good_run()
    {
        Write("p.yaml", TwoStages);
        Assert.Equal(new Answer(0, "", ""), await RunAsync("run", "p.yaml", "-q"));
    }

    [Fact]
    public async Task Question_answers_by_its_exit_code_and_runs_nothing()
    {
        Write("p.yaml", TwoStages);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question")).Code);
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti", "runs")));
        await RunAsync("run", "p.yaml");
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question")).Code);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question", "--set", "first.text=two")).Code);
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_runs_nothing()
    {
        Write("p.yaml", TwoStages);
        var dry = await RunAsync("run", "p.yaml", "-n");
        Assert.Equal(0, dry.Code);
        Assert.Contains("3 stages: 0 cached, 3 to run", dry.Out);
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti", "runs")));
    }

    [Fact]
    public async Task A_failed_stage_names_its_log_and_what_needs_it_is_skipped()
    {
        Write("p.yaml", TwoStages);
        var run = await RunAsync("run", "p.yaml", "--set", "first.fail=true");
        Assert.Equal(1, run.Code);
        Assert.Contains("first failed: the text cannot be written: fail is true; set it to false\n  its log: ~/.ssti/runs/", run.Error);
        Assert.Contains("skipped", run.Out);
        Assert.DoesNotContain("   at ", run.Error);
    }

    [Fact]
    public async Task A_stage_with_a_bug_shows_no_stack_trace_but_its_log_has_it()
    {
        Write("p.yaml", TwoStages);
        var run = await RunAsync("run", "p.yaml", "--set", "first.crash=true");
        Assert.Equal(1, run.Code);
        Assert.DoesNotContain("   at ", run.Error);
        Assert.Contains("   at ", (await RunAsync("log", "first")).Out);
    }

    [Fact]
    public async Task Keep_going_runs_what_does_not_need_the_failed_stage()
    {
        Write("p.yaml", """
            stages:
              bad: { uses: write, with: { fail: true } }
              good: { uses: write, with: { text: fine } }
              after: { uses: write, needs: { data: bad } }
            """);
        var run = await RunAsync("run", "p.yaml", "-k", "-j", "1", "--json");
        Assert.Equal(1, run.Code);
        Assert.Equal(
            [("bad", "failed"), ("good", "done"), ("after", "skipped")],
            run.Json["stages"]!.AsArray().Select(stage => ((string?)stage!["stage"], (string?)stage["state"])));
    }

    [Fact]
    public async Task Interrupted_it_drains_and_says_that_the_same_command_goes_on()
    {
        Write("p.yaml", """
            stages:
              first: { uses: write }
              forever: { uses: wait }
            """);
        using var interrupt = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var run = await RunAsync(["run", "p.yaml", "-j", "2"], interrupt.Token);
        Assert.Equal(130, run.Code);
        Assert.Contains("the same command goes on from here", run.Error);
        Assert.Equal("cached", (string?)(await RunAsync("plan", "p.yaml", "--json", "--until", "first")).Json["stages"]![0]!["state"]);
    }

    [Fact]
    public async Task Until_selects_by_glob_and_a_glob_that_selects_nothing_is_a_usage_error()
    {
        Write("p.yaml", TwoStages);
        var some = await RunAsync("run", "p.yaml", "--until", "second@a", "--json");
        Assert.Equal(["first", "second@a"], some.Json["stages"]!.AsArray().Select(stage => (string?)stage!["stage"]));
        var none = await RunAsync("run", "p.yaml", "--until", "secnd");
        Assert.Equal(2, none.Code);
        Assert.Contains("did you mean 'second'?", none.Error);
    }

    [Fact]
    public async Task The_store_goes_where_it_is_told()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "--store", "elsewhere/store");
        Assert.True(Directory.Exists(Path.Combine(Folder, "elsewhere", "store", "cas")));
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti")));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("rnu", "p.yaml")]
    [InlineData("run", "p.yaml", "--jobs", "0")]
    [InlineData("run", "p.yaml", "--jobs", "many")]
    [InlineData("run", "p.yaml", "--memory", "8 apples")]
    [InlineData("run", "p.yaml", "--device", "tpu")]
    [InlineData("gc", "--keep-lst", "3")]
    [InlineData("gc", "--keep-last", "few")]
    [InlineData("trace", "--json")]
    [InlineData("diff", "1", "2", "3")]
    [InlineData("verify", "--rerun")]
    [InlineData("import")]
    [InlineData("export", "last")]
    [InlineData("export", "p.yaml", "first")]
    [InlineData("export", "last", "run.tar", "--set", "first.text=two")]
    [InlineData("run", "absent.yaml")]
    public async Task A_wrong_command_line_exits_with_2_and_says_where_to_look(params string[] arguments)
    {
        Write("p.yaml", TwoStages);
        var run = await RunAsync(arguments);
        Assert.Equal(2, run.Code);
        Assert.NotEmpty(run.Error);
    }
}
