using Ssti.Corpus.Hub;
using Ssti.Corpus.Tests.Hub;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary>Sources of the Hub, before a key is made of them: the commit, the lock file, and what happens without a network.</summary>
public sealed class LockTests : CliFixture, IDisposable
{
    private const string Older = HubServer.Commit, Newer = "fedcba9876543210fedcba9876543210fedcba98";
    private readonly HubServer _server = new() { Repository = "team/reviews" };

    public LockTests()
    {
        _server.Small["train.jsonl"] = "{\"text\":\"good\",\"label\":1}\n{\"text\":\"bad\",\"label\":0}\n"u8.ToArray();
        _server.Small["test.jsonl"] = "{\"text\":\"fine\",\"label\":1}\n{\"text\":\"poor\",\"label\":0}\n"u8.ToArray();
        Write("shared/data.yaml", "stages: { data: { uses: dataset, with: { source: \"hf://team/reviews\" } } }");
        Write("p.yaml", "include: [shared/data.yaml]\nstages: { note: { uses: write } }");
        On("one");
    }

    void IDisposable.Dispose()
    {
        _server.Dispose();
        Dispose();
    }

    [Fact]
    public async Task A_plan_prints_the_commit_and_that_nothing_holds_it()
    {
        var text = (await RunAsync("plan", "p.yaml")).Out;
        Assert.Matches($@"hf://datasets/team/reviews +{Older} +unlocked, as the Hub sa", text);
        Assert.Contains("note: hf://datasets/team/reviews (0123456789ab) is not locked", text);
        Assert.EndsWith("2 stages: 0 cached, 2 to run; work: unknown\n", text);

        var source = (await RunAsync("plan", "p.yaml", "--json")).Json["sources"]![0]!;
        Assert.Equal(("hf://datasets/team/reviews", Older, "resolved", "data"),
            ((string?)source["source"], (string?)source["revision"], (string?)source["from"], (string?)source["stages"]![0]));
        Assert.Equal("hf://team/reviews@" + Older, (string?)(await ShownAsync())["document"]!["parameters"]!["source"]);
    }

    [Fact]
    public async Task With_a_lock_two_people_get_the_same_rows_whatever_happened_to_the_branch()
    {
        var locked = await RunAsync("lock", "p.yaml");
        Assert.Equal($"hf://datasets/team/reviews: {Older}, new\n~/p.lock.json: 1 source\n", locked.Out);
        var mine = await RunAsync("run", "p.yaml", "--locked", "--json");
        Assert.Equal((0, ""), (mine.Code, mine.Error.Contains("not locked") ? mine.Error : ""));

        _server.Head = Newer;
        On("two");
        var theirs = await RunAsync("run", "p.yaml", "--locked", "--json");

        Assert.Equal(0, theirs.Code);
        Assert.Equal(KeyOf(mine), KeyOf(theirs));
        Assert.Matches($"hf://datasets/team/reviews +{Older} +the lock file", (await RunAsync("plan", "p.yaml")).Out);
        Assert.DoesNotContain(_server.AtHub.Skip(1), seen => seen.Path.EndsWith("/revision/main", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lock_is_kept_until_it_is_renewed_and_why_tells_of_it()
    {
        await RunAsync("lock", "p.yaml");
        await RunAsync("run", "p.yaml");
        _server.Head = Newer;

        Assert.Equal(
            $"hf://datasets/team/reviews: {Older}, as before\n~/p.lock.json: 1 source, unchanged ('--update' asks for newer ones)\n",
            (await RunAsync("lock", "p.yaml")).Out);
        Assert.StartsWith("data: cached", (await RunAsync("why", "p.yaml", "data")).Out);
        var renewed = (await RunAsync("lock", "p.yaml", "--update", "--json")).Json;
        Assert.Equal((Older, Newer, true), ((string?)renewed["sources"]![0]!["old"], (string?)renewed["sources"]![0]!["new"], (bool)renewed["written"]!));
        Assert.Equal(
            $"data: would run\n  parameter source changed from \"hf://team/reviews@{Older}\" to \"hf://team/reviews@{Newer}\"\n", (await RunAsync("why", "p.yaml", "data")).Out);
    }

    [Fact]
    public async Task A_lock_holds_what_any_profile_names()
    {
        Write("p.yaml", """
            params: { source: "hf://team/reviews@0123456789abcdef0123456789abcdef01234567" }
            profiles: { newest: { params: { source: "hf://team/reviews" } } }
            stages: { data: { uses: dataset, with: { source: "${{ params.source }}" } } }
            """);
        Assert.Equal($"hf://datasets/team/reviews: {Older}, new\n~/p.lock.json: 1 source\n", (await RunAsync("lock", "p.yaml")).Out);
        Assert.Equal((0, 0), ((await RunAsync("plan", "p.yaml", "--locked")).Code, (await RunAsync("plan", "p.yaml", "--locked", "--profile", "newest")).Code));
    }

    [Fact]
    public async Task What_the_pipeline_names_no_more_leaves_the_lock_and_what_is_pinned_needs_none()
    {
        await RunAsync("lock", "p.yaml");
        Write("shared/data.yaml", $"stages: {{ data: {{ uses: dataset, with: {{ source: \"hf://team/reviews@{Newer}\" }} }} }}");

        var refused = await RunAsync("plan", "p.yaml", "--locked");
        Assert.Equal(2, refused.Code);
        Assert.Contains("it holds hf://datasets/team/reviews, which the pipeline does not name without a revision", refused.Error);
        Assert.Contains("removed: the pipeline does not name it any more", (await RunAsync("lock", "p.yaml")).Out);
        Assert.Equal("nothing to lock: every source is local, or has its revision in the pipeline\n", (await RunAsync("lock", "p.yaml")).Out);
        Assert.Equal(0, (await RunAsync("plan", "p.yaml", "--locked")).Code);
        // The note alone: there is nothing to lock and no file to write.
        Write("local.yaml", "stages: { note: { uses: write } }");
        Assert.Equal(0, (await RunAsync("lock", "local.yaml")).Code);
        Assert.False(File.Exists(Path.Combine(Folder, "local.lock.json")));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("plan")]
    [InlineData("run", "-n")]
    [InlineData("run", "--question")]
    public async Task Locked_refuses_what_no_lock_holds_and_does_nothing(params string[] verb)
    {
        var answer = await RunAsync([verb[0], "p.yaml", .. verb[1..], "--locked"]);

        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.Equal(
            "ssti: --locked: the lock file ~/p.lock.json does not fit the pipeline: there is none, and it lacks hf://datasets/team/reviews. "
            + "Write it with 'ssti lock ~/p.yaml', and keep it beside the pipeline\n", answer.Error);
        Assert.Empty(_server.AtHub);
        Assert.False(Directory.Exists(Path.Combine(Folder, ".ssti", "runs")));
    }

    [Fact]
    public async Task A_run_says_what_is_not_locked_unless_it_is_to_be_quiet()
    {
        Assert.Contains("note: hf://datasets/team/reviews (0123456789ab) is not locked", (await RunAsync("run", "p.yaml")).Error);
        Assert.DoesNotContain("not locked", (await RunAsync("run", "p.yaml", "-q")).Error);
    }

    [Fact]
    public async Task Without_network_lock_and_cache_the_error_says_all_ways_out_and_local_stages_still_run()
    {
        _server.Dispose();
        var answer = await RunAsync("plan", "p.yaml");

        Assert.Equal(1, answer.Code);
        Assert.Contains("Is there a network here", answer.Error);
        Assert.Contains("the key needs the commit of hf://datasets/team/reviews: write it (hf://team/reviews@<commit>), or bring the lock file", answer.Error);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--until", "note")).Code);
        Assert.Equal(1, (await RunAsync("lock", "p.yaml")).Code);
        Assert.False(File.Exists(Path.Combine(Folder, "p.lock.json")));
    }

    [Fact]
    public async Task Without_network_a_lock_and_the_cache_are_enough()
    {
        await RunAsync("lock", "p.yaml");
        await RunAsync("run", "p.yaml");
        Directory.Delete(Path.Combine(Folder, ".ssti"), recursive: true);
        _server.Dispose();

        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--locked")).Code);
        Assert.Equal(0, (await RunAsync("verify", "p.yaml", "--rerun", "2", "--seed", "1")).Code);
    }

    [Fact]
    public async Task A_damaged_lock_stops_every_verb_that_reads_the_pipeline()
    {
        Write("p.lock.json", "<<<<<<< ours");
        foreach (var verb in new[] { "plan", "run", "status", "lock" })
        {
            var answer = await RunAsync(verb, "p.yaml");
            Assert.Equal(2, answer.Code);
            Assert.Contains("~/p.lock.json is no lock file", answer.Error);
        }
    }

    [Fact]
    public async Task A_lock_is_of_what_the_file_says_and_not_of_what_is_overridden()
    {
        Write("local/train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n");
        Write("local/test.jsonl", "{\"text\":\"c\",\"label\":0}\n{\"text\":\"d\",\"label\":1}\n");
        await RunAsync("lock", "p.yaml");

        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--locked", "--set", $"data.source={Path.Combine(Folder, "local")}")).Code);
        Assert.Equal(2, (await RunAsync("plan", "p.yaml", "--locked", "--set", "data.source=hf://team/others")).Code);
        Write("ssti.local.yaml", "set: { data.source: local }");
        Assert.Equal(0, (await RunAsync("plan", "p.yaml", "--locked")).Code);
        Assert.Contains("as before", (await RunAsync("lock", "p.yaml")).Out);
    }

    // Another person: a store and a cache of their own.
    private void On(string machine)
    {
        var hub = new HubOptions
        {
            Endpoint = _server.Endpoint, CacheFolder = Path.Combine(Folder, machine, "cache"), Retries = 1, Delay = (_, _) => Task.CompletedTask,
        };
        Kinds = [new WriteStage(), new DatasetStage(hub)];
        Sources = new HubResolver(hub);
        Variables["SSTI_STORE"] = Path.Combine(Folder, machine == "one" ? ".ssti" : machine);
    }

    private async Task<System.Text.Json.Nodes.JsonNode> ShownAsync()
    {
        await RunAsync("run", "p.yaml");
        return (await RunAsync("show", "p.yaml", "data", "--json")).Json["stages"]![0]!;
    }

    private static string? KeyOf(Answer answer) => (string?)answer.Json["stages"]!.AsArray().Single(stage => (string?)stage!["stage"] == "data")!["key"];
}
