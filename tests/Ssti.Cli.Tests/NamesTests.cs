namespace Ssti.Cli.Tests;

/// <summary>What is named and is not there is an error that says what may be meant; nothing is passed over.</summary>
public sealed class NamesTests : CliFixture
{
    [Theory]
    // A pipeline.
    [InlineData("there is no pipeline 'nope.yaml'", "verify", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "verify", "nope.yaml", "--rerun", "1")]
    [InlineData("there is no pipeline 'nope.yaml'", "run", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "plan", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "status", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "why", "nope.yaml", "first")]
    [InlineData("there is no pipeline 'nope.yaml'", "graph", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "gc", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "push", "shared", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "pull", ".ssti", "nope.yaml", "--store", "mine")]
    [InlineData("there is no pipeline 'nope.yaml'", "export", "nope.yaml", "first", "out")]
    [InlineData("there is no pipeline 'nope.yaml'", "export", "nope.yaml", "out")]
    [InlineData("there is no pipeline 'nope.yaml'", "show", "nope.yaml")]
    [InlineData("there is no pipeline 'nope.yaml'", "show", "nope.yaml", "first")]
    [InlineData("did you mean 'pipelines/table1.yaml'?", "run", "table1")]
    [InlineData("did you mean 'pipelines/table1.yaml'?", "run", "tabel1.yaml")]
    [InlineData("did you mean 'pipelines/table1.yaml'?", "plan", "pipelines/table1")]
    [InlineData("did you mean 'p.yaml'?", "status", "p.yml")]
    [InlineData("'pipelines' is a folder; name a pipeline's file in it: pipelines/table1.yaml", "run", "pipelines")]
    [InlineData("an empty name is no pipeline", "run", "")]
    [InlineData("--pipeline: an empty name", "runs", "-p", "")]
    // A stage.
    [InlineData("'frist' selects no stage; did you mean 'first'?", "why", "p.yaml", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "show", "p.yaml", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "export", "p.yaml", "frist", "out")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "export", "p.yaml", "out", "--stage", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "verify", "p.yaml", "--rerun", "1", "--stage", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "push", "shared", "p.yaml", "--stage", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "status", "p.yaml", "--stage", "frist")]
    [InlineData("'frist' selects no stage; did you mean 'first'?", "graph", "p.yaml", "--until", "frist")]
    [InlineData("has no stage 'frist' (did you mean 'first'?); it has: first, second", "log", "frist")]
    [InlineData("has no stage 'frist' (did you mean 'first'?); it has: first, second", "show", "last", "--stage", "frist")]
    [InlineData("has no stage 'frist' (did you mean 'first'?); it has: first, second", "push", "shared", "--run", "1", "--stage", "first", "--stage", "frist")]
    [InlineData("say which stage", "log")]
    [InlineData("an empty name selects no stage", "log", "")]
    // A run, a kind, a parameter, a verb, an option.
    [InlineData("no run '9'", "push", "shared", "--run", "9")]
    [InlineData("no run '9'", "gc", "--keep-run", "9")]
    [InlineData("no kind 'wirte' (did you mean 'write'?)", "kinds", "wirte")]
    [InlineData("did you mean 'params.letters'?", "run", "q.yaml", "--set", "leters=1")]
    [InlineData("unknown parameter 'leters'; did you mean 'letters'?", "run", "q.yaml", "--set", "params.leters=1")]
    [InlineData("did you mean 'text'?", "run", "q.yaml", "--set", "only.texd=1")]
    [InlineData("There is no verb 'rnu' (did you mean 'run'?); there are: run,", "rnu", "p.yaml")]
    [InlineData("There is no verb 'frobnicate'; there are: run, audit, fit, predict, serve, certificates,", "frobnicate")]
    [InlineData("There is no option '--quite' of 'run' (did you mean '--quiet'?)", "run", "--quite", "p.yaml")]
    [InlineData("There is no option '--keep-lst' of 'gc' (did you mean '--keep-last'?)", "gc", "--keep-lst", "3")]
    [InlineData("There is no option '--jsn' of 'kinds' (did you mean '--json'?)", "kinds", "--jsn")]
    [InlineData("'run' has no --stage: it selects stages with --until, --from, --only.", "run", "p.yaml", "--stage", "first")]
    [InlineData("'q.yaml' is one word too many for 'run'.", "run", "p.yaml", "q.yaml")]
    [InlineData("Say what to do", "-q")]
    // What is named for nothing.
    [InlineData("--set, --profile, --device and --no-local belong to a pipeline", "verify", "--set", "first.text=x")]
    [InlineData("--set, --profile, --device and --no-local belong to a pipeline", "push", "shared", "--set", "first.text=x")]
    [InlineData("--set, --profile, --device and --no-local belong to a pipeline", "gc", "--device", "cpu")]
    [InlineData("--set, --profile, --device and --no-local belong to a pipeline", "show", "last", "--set", "first.text=x")]
    [InlineData("--stage and --seed belong to --rerun", "verify", "p.yaml", "--stage", "first")]
    [InlineData("--stage belongs to a pipeline or a run", "show", "0123456789ab", "--stage", "first")]
    [InlineData("'p.yaml' is a file and no store; the other store comes first", "push", "p.yaml")]
    [InlineData("is a folder, and no archive", "import", "pipelines")]
    [InlineData("'~/pipelines' is a folder; name the archive's file", "export", "last", "pipelines")]
    [InlineData("'~/p.yaml' is a file; name a folder", "export", "p.yaml", "first", "p.yaml", "--force")]
    public async Task What_names_nothing_is_a_usage_error(string words, params string[] arguments)
    {
        Write("p.yaml", TwoStages);
        Write("q.yaml", "params: { letters: 3 }\nstages: { only: { uses: write } }");
        Write("pipelines/table1.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var answer = await RunAsync(arguments);
        Assert.Contains(words, answer.Error);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.DoesNotContain("   at ", answer.Error);
    }

    [Theory]
    [InlineData("why", "p.yaml", "--stage", "second@a")]
    [InlineData("show", "p.yaml", "--stage", "second@a")]
    [InlineData("log", "--stage", "second@a")]
    [InlineData("export", "p.yaml", "out", "--stage", "second@a")]
    [InlineData("verify", "p.yaml", "--rerun", "9", "--stage", "second@a")]
    [InlineData("push", "shared", "p.yaml", "--stage", "second@a")]
    [InlineData("status", "p.yaml", "--stage", "second@a")]
    public async Task A_stage_may_be_named_by_the_same_option_everywhere(params string[] arguments)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var answer = await RunAsync([.. arguments, "--json"]);
        Assert.Equal(0, answer.Code);
        Assert.DoesNotContain("second@b", answer.Out);
    }

    [Fact]
    public async Task Why_without_a_stage_is_about_all_that_would_run()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "--until", "first");
        var why = await RunAsync("why", "p.yaml", "--json");
        Assert.Equal(["second@a", "second@b"], why.Json["stages"]!.AsArray().Select(stage => (string?)stage!["stage"]));
        await RunAsync("run", "p.yaml");
        Assert.Equal("3 stages: 3 cached, 0 to run", (await RunAsync("why", "p.yaml")).Out.Split(';', '\n')[0].Trim());
    }
}
