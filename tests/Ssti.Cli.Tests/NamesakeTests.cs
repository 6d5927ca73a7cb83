namespace Ssti.Cli.Tests;

/// <summary>Two files with pipelines of one name, on one store: what is said of the one is not the other's, or says so.</summary>
public sealed class NamesakeTests : CliFixture
{
    private static readonly string[] Folders = ["a", "b", "c"];

    public NamesakeTests()
    {
        foreach (var folder in Folders) Pipeline(folder, folder);
    }

    [Fact]
    public async Task Why_compares_with_the_files_own_run()
    {
        await RunAsync("run", "a/q.yaml", "--store", "s");
        await RunAsync("run", "b/q.yaml", "--store", "s");
        Pipeline("a", "another");
        Assert.Equal("only: would run\n  parameter text changed from \"a\" to \"another\"\n", (await WhyAsync("a")).Out);
        Assert.Contains("only: cached", (await WhyAsync("b")).Out);
    }

    [Fact]
    public async Task A_file_that_never_ran_is_compared_with_its_namesake_and_it_is_said()
    {
        await RunAsync("run", "a/q.yaml", "--store", "s");
        await RunAsync("run", "b/q.yaml", "--store", "s");
        Assert.Matches(
            "^only: would run\n  parameter text changed from \"b\" to \"c\"\n"
            + @"  \(never run from this file: compared with run 000002-.... of ~/b/q\.yaml, another pipeline of this name\)\n$",
            (await WhyAsync("c")).Out);
        var compared = (await RunAsync("why", "c/q.yaml", "only", "--store", "s", "--json")).Json["stages"]![0]!["compared-with"]!;
        Assert.EndsWith("/b/q.yaml", (string?)compared["place"]);
        const string Note = "never run from this file: the reasons compare with ~/b/q.yaml, another pipeline of this name";
        foreach (var verb in (string[])["plan", "status"]) Assert.Contains(Note, (await RunAsync(verb, "c/q.yaml", "--store", "s")).Out);
        Assert.DoesNotContain("never run", (await RunAsync("plan", "a/q.yaml", "--store", "s")).Out);
        // How long the other one's took is no estimate of this one.
        Assert.Contains("work: unknown", (await RunAsync("plan", "c/q.yaml", "--store", "s")).Out);
    }

    [Fact]
    public async Task A_run_that_was_cached_is_the_files_own_as_well()
    {
        Pipeline("b", "a");
        await RunAsync("run", "a/q.yaml", "--store", "s");
        await RunAsync("run", "b/q.yaml", "--store", "s");
        Pipeline("b", "another");
        Assert.Equal("only: would run\n  parameter text changed from \"a\" to \"another\"\n", (await WhyAsync("b")).Out);
    }

    [Fact]
    public async Task Status_has_the_last_run_of_the_file()
    {
        await RunAsync("run", "a/q.yaml", "--store", "s");
        await RunAsync("run", "b/q.yaml", "--store", "s");
        Assert.Matches("(?m)^last run 000001-", (await RunAsync("status", "a/q.yaml", "--store", "s")).Out);
        Assert.Matches("(?m)^last run 000002-", (await RunAsync("status", "b/q.yaml", "--store", "s")).Out);
        Assert.Matches(
            @"(?m)^no run of this file yet; of another pipeline of its name \(~/b/q\.yaml\): last run 000002-",
            (await RunAsync("status", "c/q.yaml", "--store", "s")).Out);
    }

    [Fact]
    public async Task Collecting_keeps_the_last_runs_of_each()
    {
        await RunAsync("run", "a/q.yaml", "--store", "s");
        foreach (var _ in Folders) await RunAsync("run", "b/q.yaml", "--store", "s");
        await RunAsync("gc", "--store", "s", "--keep-last", "1", "--yes");
        Assert.Equal(["000004", "000001"], (await RunAsync("runs", "--store", "s", "--json")).Json["runs"]!.AsArray().Select(run => ((string)run!["run"]!)[..6]));
        Assert.Contains("1 cached", (await RunAsync("plan", "a/q.yaml", "--store", "s")).Out);
    }

    [Fact]
    public async Task A_list_of_runs_tells_the_files_where_names_do_not_and_a_file_has_its_own()
    {
        await RunAsync("run", "a/q.yaml", "--store", "s");
        Assert.DoesNotContain("q.yaml  ", (await RunAsync("runs", "--store", "s")).Out);
        await RunAsync("run", "b/q.yaml", "--store", "s");
        var all = (await RunAsync("runs", "--store", "s")).Out;
        Assert.Matches(@"twin +~/a/q\.yaml +succeeded", all);
        Assert.Matches(@"twin +~/b/q\.yaml +succeeded", all);
        var own = (await RunAsync("runs", "--store", "s", "-p", "a/q.yaml", "--json")).Json["runs"]!.AsArray();
        Assert.Equal("000001", ((string)Assert.Single(own)!["run"]!)[..6]);
        Assert.Equal(2, (await RunAsync("runs", "--store", "s", "-p", "twin", "--json")).Json["runs"]!.AsArray().Count);
        // Of a file that was moved, what its name has: said where 'last' is meant.
        Assert.Equal(2, (await RunAsync("runs", "--store", "s", "-p", "c/q.yaml", "--json")).Json["runs"]!.AsArray().Count);
    }

    private Task<Answer> WhyAsync(string folder) => RunAsync("why", $"{folder}/q.yaml", "only", "--store", "s");

    private void Pipeline(string folder, string text) => Write($"{folder}/q.yaml", $"name: twin\nstages: {{ only: {{ uses: write, with: {{ text: {text} }} }} }}\n");
}
