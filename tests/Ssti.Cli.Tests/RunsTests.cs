namespace Ssti.Cli.Tests;

/// <summary><c>runs</c>, and which run <c>last</c> is.</summary>
public sealed class RunsTests : CliFixture
{
    private const string Other = "name: other\nstages: { alone: { uses: write, with: { text: alone } } }\n";

    [Fact]
    public async Task Runs_are_listed_newest_first_with_what_they_did()
    {
        await ThreeRunsAsync();
        var runs = await RunAsync("runs");
        Assert.Equal((0, ""), (runs.Code, runs.Error));
        var rows = runs.Out.Split('\n').Where(line => line.StartsWith("00000", StringComparison.Ordinal)).ToArray();
        Assert.Equal(["000003", "000002", "000001"], rows.Select(row => row[..6]));
        Assert.Matches(@"^000003-....  20..-..-.. ..:..  other +failed +\S+ s +0 +0 +1  ssti run other.yaml --set alone.fail=true", rows[0]);
        Assert.Matches(@"^000002-....  20..-..-.. ..:..  two +succeeded +\S+ s +2 +1 +0  ssti run p.yaml", rows[1]);

        var json = (await RunAsync("runs", "--json", "-p", "two", "--limit", "1")).Json;
        Assert.Equal(("two", 2, 1, 0, true), ((string?)json["runs"]![0]!["pipeline"], (int?)json["runs"]![0]!["executed"], (int?)json["runs"]![0]!["cached"],
            (int?)json["runs"]![0]!["failed"], (bool?)json["more"]));
        Assert.Single(json["runs"]!.AsArray());
        Assert.Contains("older ones", (await RunAsync("runs", "-n", "2")).Out);
        Assert.Equal(2, (await RunAsync("runs", "--limit", "0")).Code);
        Assert.Equal(3, (await RunAsync("runs", "--limit", "2147483647", "--json")).Json["runs"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_run_that_was_killed_is_unfinished_and_one_that_cannot_be_read_is_passed_over()
    {
        await ThreeRunsAsync();
        var folders = Directory.GetDirectories(Path.Combine(Folder, ".ssti/runs")).Order().ToArray();
        var journal = Path.Combine(folders[2], "journal.jsonl");
        File.WriteAllLines(journal, File.ReadAllLines(journal).Where(line => !line.Contains("\"event\":\"end\"")));
        File.WriteAllText(Path.Combine(folders[1], "journal.jsonl"), "not json\n");
        var json = (await RunAsync("runs", "--json")).Json["runs"]!.AsArray();
        Assert.Equal([null, "succeeded"], json.Select(run => (string?)run!["outcome"]));
        Assert.Contains("unfinished", (await RunAsync("runs")).Out);
    }

    [Fact]
    public async Task Last_is_of_the_pipeline_named_else_of_the_store_and_says_so()
    {
        await ThreeRunsAsync();
        var last = await RunAsync("show", "last", "--json");
        Assert.Equal("other", (string?)last.Json["pipeline"]);
        Assert.Matches("^note: last is run 000003-.... of other, begun at 20..-..-.. ..:.. UTC\n$", last.Error);
        foreach (var named in (string[])["two", "p.yaml", "./p.yaml"])
        {
            var of = await RunAsync("show", "last", "--json", "--pipeline", named);
            Assert.StartsWith("000002", (string?)of.Json["run"]);
            Assert.Contains("note: last is run 000002-", of.Error);
        }

        Assert.StartsWith("000001", (string?)(await RunAsync("show", "last~1", "-p", "two", "--json")).Json["run"]);
        Assert.Equal("", (await RunAsync("show", "last", "-q")).Error);
        Assert.Equal("", (await RunAsync("show", "2")).Error);
        Assert.Contains("writing a", (await RunAsync("log", "second@a", "-p", "two", "--run", "last")).Out);
        Assert.Contains("000002", (await RunAsync("trace", "-p", "two")).Out + (await RunAsync("trace", "-p", "two")).Error);
        Assert.Equal(0, (await RunAsync("export", "last", "run.tar", "-p", "two")).Code);
        Assert.Equal((0, 3), ((await RunAsync("diff", "-p", "two", "--question")).Code, (await RunAsync("diff", "--question")).Code));
        Assert.Contains("warning: these are runs of two pipelines, two and other", (await RunAsync("diff")).Error);
    }

    [Theory]
    [InlineData("no run of the pipeline 'tow' in ~/.ssti (did you mean 'two'?)", "runs", "-p", "tow")]
    [InlineData("no run of the pipeline 'tow' in ~/.ssti (did you mean 'two'?)", "show", "last", "-p", "tow")]
    [InlineData("there is no pipeline 'absent.yaml'", "runs", "-p", "absent.yaml")]
    [InlineData("no run 'last~2' of two in ~/.ssti; there are only 2 runs", "show", "last~2", "-p", "two")]
    [InlineData("no run 'lats' in ~/.ssti (did you mean 'last'?)", "trace", "lats")]
    [InlineData("did you mean 'last'?", "show", "lats")]
    [InlineData("is one of other, not of two", "show", "3", "-p", "two")]
    [InlineData("--pipeline says whose runs --run means", "push", "elsewhere", "-p", "two")]
    public async Task What_names_no_run_is_an_error_that_says_what_there_is(string words, params string[] arguments)
    {
        await ThreeRunsAsync();
        var answer = await RunAsync(arguments);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.Contains(words, answer.Error);
    }

    [Fact]
    public async Task Of_two_files_with_pipelines_of_one_name_it_is_said_whose_run_the_last_is()
    {
        foreach (var folder in (string[])["a", "b", "moved"]) Write($"{folder}/q.yaml", Other);
        await RunAsync("run", "a/q.yaml", "--store", ".ssti");
        await RunAsync("run", "b/q.yaml", "--store", ".ssti");
        Assert.Matches("last is run 000001-.... of other, begun", (await RunAsync("show", "last", "-p", "a/q.yaml", "--store", ".ssti")).Error);
        Assert.Matches("last is run 000002-.... of other, begun", (await RunAsync("show", "last", "-p", "b/q.yaml", "--store", ".ssti")).Error);
        Assert.Contains("of other (the file ~/b/q.yaml), begun", (await RunAsync("show", "last", "-p", "moved/q.yaml", "--store", ".ssti")).Error);
    }

    [Fact]
    public async Task A_pipeline_that_is_wrong_by_now_still_names_its_runs()
    {
        await ThreeRunsAsync();
        Write("p.yaml", "name: two\nstages: { first: { uses: nothing } }\n");
        Assert.Equal(2, (await RunAsync("runs", "-p", "p.yaml", "--json")).Json["runs"]!.AsArray().Count);
    }

    [Fact]
    public async Task Where_nothing_was_run_the_list_is_empty_and_where_no_store_is_that_is_an_error()
    {
        Assert.Equal(2, (await RunAsync("runs")).Code);
        Directory.CreateDirectory(Path.Combine(Folder, ".ssti/cas"));
        Assert.Equal(new Answer(0, "no run yet in ~/.ssti\n", ""), await RunAsync("runs"));
    }

    private async Task ThreeRunsAsync()
    {
        Write("p.yaml", TwoStages);
        Write("other.yaml", Other);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--force", "second");
        await RunAsync("run", "other.yaml", "--set", "alone.fail=true");
    }
}
