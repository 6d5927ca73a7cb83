using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

public sealed class SharingTests : CliFixture
{
    [Fact]
    public async Task What_is_pushed_is_cached_for_whoever_pulls_it()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var push = await RunAsync("push", "shared", "--json");
        Assert.Equal((0, 3, 3), (push.Code, (int)push.Json["records"]!, (int)push.Json["stages"]!));
        Assert.StartsWith("push: nothing to copy; 3 stages in ~/shared already", (await RunAsync("push", "shared")).Out);
        Assert.Contains("3 new stages of 3", (await RunAsync("pull", "shared", "--store", "mine")).Out);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--store", "mine")).Code);
    }

    [Fact]
    public async Task A_pipeline_or_a_stage_of_it_with_what_it_needs_may_be_meant()
    {
        Write("p.yaml", TwoStages);
        Write("q.yaml", "stages: { alone: { uses: write, with: { text: alone } } }");
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "q.yaml");
        Assert.Equal(1, (int)(await RunAsync("push", "one", "q.yaml", "--json")).Json["records"]!);
        Assert.Equal(2, (int)(await RunAsync("push", "two", "p.yaml", "--stage", "second@a", "--json")).Json["records"]!);
        Assert.Equal(["second@b"], (await RunAsync("plan", "p.yaml", "--store", "two", "--json")).Json["stages"]!.AsArray()
            .Where(s => (string?)s!["state"] == "run").Select(s => (string?)s!["stage"]));
        var stale = await RunAsync("push", "three", "p.yaml", "--set", "second.text=other");
        Assert.Equal((0, true), (stale.Code, stale.Error.Contains("2 stages of the pipeline not in ~/.ssti, so not copied: second@a, second@b")));
    }

    [Fact]
    public async Task A_run_brings_its_journal_and_logs()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--set", "first.text=two");
        Assert.Contains("1 journal", (await RunAsync("push", "shared", "--run", "1")).Out);
        Assert.Contains("nothing to copy", (await RunAsync("push", "shared", "--run", "1")).Out);
        Assert.Contains("3 new stages of 3", (await RunAsync("pull", "shared", "--run", "1", "--store", "mine")).Out);
        Assert.Contains("writing one", (await RunAsync("log", "first", "--store", "mine")).Out);
        Assert.Equal(1, (int)(await RunAsync("pull", "shared", "--run", "1", "--stage", "first", "--store", "other", "--json")).Json["stages"]!);
    }

    [Theory]
    [InlineData("push", "shared", "p.yaml", "--run", "1")]
    [InlineData("push", "shared", "--stage", "first")]
    [InlineData("push", "shared", "--run", "7")]
    [InlineData("push", "shared", "--run", "1", "--stage", "third")]
    [InlineData("push", "shared", "absent.yaml")]
    [InlineData("push", "shared", "p.yaml", "--stage", "third")]
    [InlineData("push", ".ssti")]
    [InlineData("pull", "absent")]
    [InlineData("push")]
    public async Task What_cannot_be_meant_is_a_usage_error_and_copies_nothing(params string[] arguments)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var answer = await RunAsync(arguments);
        Assert.Equal((2, ""), (answer.Code, answer.Out));
        Assert.NotEmpty(answer.Error);
        Assert.False(Directory.Exists(Path.Combine(Folder, "shared", "ac")));
    }

    [Fact]
    public async Task What_is_damaged_there_is_not_pulled_and_costs_only_its_own_stage()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("push", "shared");
        await DamageAsync("shared", "first");
        var pull = await RunAsync("pull", "shared", "--store", "mine");
        Assert.Equal(4, pull.Code);
        Assert.Contains("not copied: first: the blob ", pull.Error);
        Assert.Contains("2 new stages of 3", pull.Out);
        Assert.Equal("run", (string?)(await RunAsync("plan", "p.yaml", "--store", "mine", "--json")).Json["stages"]![0]!["state"]);
        Assert.Equal(0, (await RunAsync("verify", "--store", "mine")).Code);
    }

    [Fact]
    public async Task An_interrupted_push_goes_on_where_it_stopped()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("push", "shared");
        // As if killed: records come after all blobs, so a half-made copy has blobs and no record, or a half-written file under another name.
        var shared = new FileStore(Path.Combine(Folder, "shared"));
        Directory.Delete(Path.Combine(Folder, "shared", "ac"), recursive: true);
        var blobs = Directory.GetFiles(Path.Combine(Folder, "shared", "cas"), "*", SearchOption.AllDirectories);
        File.Delete(blobs[0]);
        Write("shared/tmp/0123456789abcdef0123456789abcdef", "half");
        Assert.Empty(await shared.KeysAsync().ToListAsync());
        var push = (await RunAsync("push", "shared", "--json")).Json;
        Assert.Equal((3, 1), ((int)push["records"]!, (int)push["blobs"]!));
        Assert.Equal(0, (await RunAsync("verify", "--store", "shared")).Code);
    }

    [Theory]
    [InlineData("run.tar")]
    [InlineData("run.tar.gz")]
    public async Task A_run_travels_as_one_file(string file)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("run 000001-", (await RunAsync("export", "last", file)).Out);
        Assert.Equal(2, (await RunAsync("export", "last", file)).Code);
        Assert.Equal(0, (await RunAsync("export", "last", file, "--force")).Code);
        var import = await RunAsync("import", file, "--store", "mine", "--json");
        Assert.Equal(0, import.Code);
        Assert.Equal(0, (await RunAsync("import", file, "--store", "mine")).Code);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--store", "mine")).Code);
        Assert.Equal(3, (await RunAsync("show", (string)import.Json["run"]!, "--store", "mine", "--json")).Json["stages"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("run.tar")]
    [InlineData("run.tar.gz")]
    public async Task An_archive_is_known_by_what_is_in_it_and_where_it_was_cut_its_name_is_told(string file)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("export", "last", file);
        var whole = File.ReadAllBytes(Path.Combine(Folder, file));
        foreach (var length in Enumerable.Range(1, 9).Select(tenths => whole.Length * tenths / 10))
        {
            File.WriteAllBytes(Path.Combine(Folder, "cut"), whole[..length]);
            var cut = await RunAsync("import", "cut", "--store", "mine");
            if (cut.Code == 0) continue; // Nothing but the padding behind the last file was lost.
            Assert.Equal(1, cut.Code);
            Assert.Contains("~/cut ", cut.Error);
        }

        File.WriteAllBytes(Path.Combine(Folder, file == "run.tar" ? "other.tar.gz" : "other.tar"), whole);
        Assert.Equal(0, (await RunAsync("import", file == "run.tar" ? "other.tar.gz" : "other.tar", "--store", "mine")).Code);
    }

    [Theory]
    [InlineData("run.tar", "this is no archive")]
    [InlineData("run.tar.gz", "this is no archive")]
    [InlineData("empty.tar", "")]
    public async Task Garbage_is_no_archive(string file, string content)
    {
        Write(file, content);
        var import = await RunAsync("import", file);
        Assert.Equal((1, ""), (import.Code, import.Out));
        Assert.StartsWith("ssti: ", import.Error);
        Assert.Single(import.Error.TrimEnd().Split('\n'));
        Assert.Equal(2, (await RunAsync("import", "absent.tar")).Code);
        Assert.Equal(2, (await RunAsync("import", "")).Code);
    }

    [SkippableFact]
    public async Task A_bucket_shares_results_too_and_can_be_the_store_itself()
    {
        var named = Environment.GetEnvironmentVariable("SSTI_TEST_S3");
        Skip.If(string.IsNullOrEmpty(named), "needs an S3 server: set SSTI_TEST_S3 to its endpoint,key,secret");
        var parts = named!.Split(',');
        foreach (var (name, value) in new[] { ("S3__Endpoint", parts[0]), ("S3__AccessKey", parts[1]), ("S3__SecretKey", parts[2]), ("S3__CreateBucket", "true"),
            ("S3__Cache", Path.Combine(Folder, "cache")) })
            Variables[name] = value;
        var url = $"s3://ssti-cli-test/{Path.GetFileName(Folder)}";
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Contains("3 new stages of 3", (await RunAsync("push", url)).Out);
        Assert.Contains("nothing to copy", (await RunAsync("push", url, "p.yaml")).Out);
        Assert.Contains("3 new stages of 3", (await RunAsync("pull", url, "p.yaml", "--store", "mine")).Out);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--store", url)).Code);
        var run = await RunAsync("run", "p.yaml", "--store", url, "--set", "first.text=two", "--json");
        Assert.Equal(["done", "done", "done"], run.Json["stages"]!.AsArray().Select(stage => (string?)stage!["state"]));
        // How many blobs they are is not promised: a log's lines begin with milliseconds, and a put that was tried again may leave a log that nobody names.
        Assert.Contains(" 6 records", (await RunAsync("verify", "--store", url)).Out);
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "first", "out", "--store", url, "--set", "first.text=two")).Code);
        Assert.Equal("two", File.ReadAllText(Path.Combine(Folder, "out", "text.txt")));
        await JournalsTravelAsync(url);
        await CollectedByUseAndAgeAsync(url);
        Variables["S3__Endpoint"] = "http://127.0.0.1:1";
        Variables["S3__Attempts"] = "1";
        var gone = await RunAsync("verify", "--repair", "--store", url);
        Assert.Equal(1, gone.Code);
        Assert.Contains("cannot be reached", gone.Error);
    }

    // The second run was made on the bucket itself: its results are there, its journal is here.
    private async Task JournalsTravelAsync(string url)
    {
        Assert.Contains("1 journal", (await RunAsync("push", url, "--run", "last", "--store", url)).Out);
        Assert.Contains("nothing to copy", (await RunAsync("push", url, "--run", "last", "--store", url)).Out);
        Assert.Contains("1 journal", (await RunAsync("push", url, "--run", "1")).Out);
        var id = (string)(await RunAsync("show", "last", "--json")).Json["run"]!;
        var mine = await RunAsync("diff", "1", "2", "--store", url);
        Variables["SSTI_WORKSPACE"] = "theirs";
        foreach (var absent in (string[])["9", "000009-abcd"]) Assert.Contains("there are 00000", (await RunAsync("pull", url, "--run", absent, "--store", "theirs")).Error);
        Assert.Contains("write more of the name", (await RunAsync("pull", url, "--run", "00000", "--store", "theirs")).Error);
        Assert.Contains("3 new stages of 3", (await RunAsync("pull", url, "--run", "last", "--store", "theirs")).Out);
        Assert.Contains("1 journal", (await RunAsync("pull", url, "--run", "1", "--store", "theirs")).Out);
        Assert.Contains("nothing to copy", (await RunAsync("pull", url, "--run", id, "--store", "theirs")).Out);
        Assert.Equal(mine.Out, (await RunAsync("diff", "1", "2", "--store", "theirs")).Out);
        Assert.Contains("\"two\"", mine.Out);
        Assert.NotEmpty((await RunAsync("log", "first", "--run", "last", "--store", "theirs")).Out);
        Variables.Remove("SSTI_WORKSPACE");
        Assert.Equal(0, (await RunAsync("verify", "--store", url)).Code);
    }

    // Two runs used the bucket: the first from a folder and by push, the second there; both journals were pushed. Others may be using it at this moment.
    private async Task CollectedByUseAndAgeAsync(string url)
    {
        Assert.StartsWith("would remove: 0 runs, 0 records, 0 blobs", (await RunAsync("gc", "--store", url, "--keep-last", "0", "--unused")).Out);
        var later = await RunAsync("gc", "--store", url, "p.yaml", "--keep-last", "0", "--keep-young", "0h");
        Assert.StartsWith("would remove: 0 runs, 5 records, ", later.Out);
        Assert.Contains("the same command with --yes does it", later.Out);
        Assert.StartsWith("removed: 0 runs, 5 records, ", (await RunAsync("gc", "--store", url, "p.yaml", "--keep-last", "0", "--keep-young", "0h", "--yes")).Out);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--store", url)).Code);
        Assert.Equal(3, (await RunAsync("run", "p.yaml", "--question", "--store", url, "--set", "first.text=two")).Code);
        Assert.Equal(0, (await RunAsync("verify", "--store", url)).Code);
        // A machine that never used the bucket leaves it alone, and leaves no folder behind.
        Variables["SSTI_WORKSPACE"] = "elsewhere";
        Assert.Contains("3 stages that no run here ever used (--unused removes them)", (await RunAsync("gc", "--store", url, "--keep-young", "0h", "--yes")).Out);
        Assert.Contains(
            "3 stages that no run here ever used (stored of late)",
            (await RunAsync("gc", "--store", url, "--unused", "--keep-since", "1d", "--keep-young", "0h", "--yes")).Out);
        Assert.False(Directory.Exists(Path.Combine(Folder, "elsewhere")));
        Assert.StartsWith("removed: 0 runs, 3 records, ", (await RunAsync("gc", "--store", url, "--unused", "--keep-young", "0h", "--yes")).Out);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(Folder, ".ssti", "runs")).Length);
    }
}
