using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ssti.Cli.Tests;

/// <summary>The program as a user starts it, with its real stage kinds.</summary>
public sealed class ProcessTests : IDisposable
{
    private const string Corpus = """
        name: toy
        stages:
          reviews:
            uses: corpus
            with: { train: 20, test: 10, unlabelled: 50 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti process ü ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_corpus_is_made_once_and_exported_from_a_folder_with_spaces()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), Corpus);
        var first = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal((0, "done"), (first.Code, State(first.Out)));
        Assert.Equal("cached", State((await RunAsync("run", "p.yaml", "--json")).Out));
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "reviews", "out")).Code);
        Assert.Equal(20, File.ReadLines(Path.Combine(_folder, "out", "train.jsonl")).Count());
    }

    [SkippableFact]
    public async Task Without_a_home_folder_no_cache_is_put_into_the_working_folder()
    {
        Skip.If(OperatingSystem.IsWindows(), "a home is named by HOME elsewhere than on Windows");
        var home = Path.Combine(_folder, "gone");
        var answer = await SstiProcess.RunAsync(_folder, ["doctor"], ("HOME", home), ("HF_HUB_OFFLINE", "1"), ("SSTI_CACHE", ""), ("XDG_CACHE_HOME", ""));
        Assert.Contains($"cache: {home}/.cache/ssti/hub", answer.Out);
        Assert.False(Directory.Exists(Path.Combine(_folder, ".cache")));
    }

    [Fact]
    public async Task Warnings_of_a_cached_stage_are_told_and_with_strict_end_the_process_with_1()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), Corpus);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--strict")).Code);
        // As a stage that warned would have left it.
        var record = Directory.GetFiles(Path.Combine(_folder, ".ssti", "ac"), "*.json", SearchOption.AllDirectories).Single();
        var text = File.ReadAllText(record);
        Assert.Contains("\"warnings\":[]", text);
        File.SetAttributes(record, FileAttributes.Normal);
        File.WriteAllText(record, text.Replace("\"warnings\":[]", "\"warnings\":[\"2 rows were dropped\"]"));

        var lenient = await RunAsync("run", "p.yaml");
        Assert.Equal(0, lenient.Code);
        Assert.Contains("1 warning:\n  reviews: 2 rows were dropped\n", lenient.Error);
        var strict = await RunAsync("run", "p.yaml", "--strict");
        Assert.Equal(1, strict.Code);
        Assert.Contains("reviews failed: strict: it warns: 2 rows were dropped", strict.Error);
    }

    [SkippableFact]
    public async Task Planning_and_running_without_tensors_never_load_libtorch()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the dynamic loader's own account of what it loads is Linux's");
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), Corpus);
        await RunAsync("run", "p.yaml");
        var trace = Path.Combine(_folder, "loaded");
        var run = await RunAsync(["run", "p.yaml"], ("LD_DEBUG", "files"), ("LD_DEBUG_OUTPUT", trace));
        Assert.Equal(0, run.Code);
        var loaded = string.Concat(Directory.GetFiles(_folder, "loaded.*").Select(File.ReadAllText));
        Assert.Contains("libcoreclr", loaded);
        Assert.DoesNotContain("libtorch", loaded, StringComparison.OrdinalIgnoreCase);
    }

    [SkippableTheory]
    [InlineData(SstiProcess.Interruption)]
    [InlineData(SstiProcess.Termination)]
    public async Task Ctrl_C_ends_a_run_with_130_and_the_next_run_goes_on(int signal)
    {
        Skip.If(OperatingSystem.IsWindows(), "signals");
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), """
            name: toy
            stages:
              reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 50 } }
              long: { uses: corpus, with: { train: 450000, test: 10, unlabelled: 0 } }
            """);
        using var process = Start(["run", "p.yaml", "-j", "2"]);
        var error = new List<string>();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            error.Add(line);
            if (line.StartsWith("reviews: done", StringComparison.Ordinal)) SstiProcess.Send(process, signal);
        }

        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains(error, line => line.Contains("the same command goes on from here"));
        var plan = JsonNode.Parse((await RunAsync("plan", "p.yaml", "--json")).Out)!;
        Assert.Equal(
            [("reviews", "cached"), ("long", "run")],
            plan["stages"]!.AsArray().Select(stage => ((string?)stage!["stage"], (string?)stage["state"])));
    }

    [Fact]
    public async Task A_push_that_is_killed_leaves_nothing_that_lies_and_the_next_one_goes_on()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), """
            stages:
              reviews: { uses: corpus, matrix: { n: [2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000] }, with: { train: "${{ matrix.n }}", test: 10, unlabelled: 5000 } }
            """);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "-q")).Code);
        for (var round = 1; round <= 3; round++)
        {
            using var push = Start(["push", "shared ü"]);
            var reading = Task.WhenAll(push.StandardOutput.ReadToEndAsync(), push.StandardError.ReadToEndAsync());
            var blobs = Path.Combine(_folder, "shared ü", "cas");
            while (!push.HasExited && (!Directory.Exists(blobs)
                || Directory.EnumerateFiles(blobs, "*", SearchOption.AllDirectories).Count() < 4 * round)) await Task.Delay(1);
            push.Kill();
            await push.WaitForExitAsync();
            await reading;
            Assert.Equal(0, (await RunAsync("verify", "--store", "shared ü")).Code);
        }

        Assert.Equal(0, (await RunAsync("push", "shared ü")).Code);
        Assert.Contains("nothing to copy; 8 stages", (await RunAsync("push", "shared ü")).Out);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question", "--store", "shared ü")).Code);
    }

    [Fact]
    public async Task Two_collections_and_a_run_at_once_do_no_harm()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), Corpus);
        for (var size = 20; size <= 80; size += 20) Assert.Equal(0, (await RunAsync("run", "p.yaml", "-q", "--set", $"reviews.train={size}")).Code);
        var answers = await Task.WhenAll(
            RunAsync("gc", "--yes", "--keep-last", "1"), RunAsync("gc", "--yes", "--keep-last", "1"), RunAsync("run", "p.yaml", "-q", "--set", "reviews.train=80"));
        // Whoever came second says so and ends; nobody waits, nothing is half deleted.
        Assert.All(answers, answer => Assert.True(answer.Code == 0 || answer.Error.Contains("is using the store")
            || answer.Error.Contains("being collected"), answer.Error));
        Assert.Contains(answers, answer => answer.Code == 0);
        Assert.Equal(0, (await RunAsync("verify")).Code);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "-q", "--set", "reviews.train=80")).Code);
    }

    [Fact]
    public async Task Nothing_is_collected_under_a_running_process()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), "stages: { long: { uses: corpus, with: { train: 450000, test: 10, unlabelled: 0 } } }");
        using var run = Start(["run", "p.yaml"]);
        while (await run.StandardError.ReadLineAsync() is { } line && !line.StartsWith("long: started", StringComparison.Ordinal))
        {
        }

        var gc = await RunAsync("gc", "--yes");
        run.Kill();
        await run.WaitForExitAsync();
        Assert.Equal(1, gc.Code);
        Assert.Contains("is using the store", gc.Error);
        Assert.Equal(0, (await RunAsync("gc", "--yes")).Code);
    }

    [SkippableFact]
    public async Task A_reader_that_goes_away_is_no_error()
    {
        Skip.If(OperatingSystem.IsWindows(), "pipes");
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), "stages: { r: { uses: corpus, matrix: { n: ["
            + string.Join(", ", Enumerable.Range(50, 400).Select(n => 2 * n)) + "] }, with: { train: \"${{ matrix.n }}\" } } }");
        using var plan = Start(["plan", "p.yaml", "--json"]);
        await plan.StandardOutput.ReadLineAsync();
        plan.StandardOutput.Close();
        var error = await plan.StandardError.ReadToEndAsync();
        await plan.WaitForExitAsync();
        Assert.Equal((0, ""), (plan.ExitCode, error));
    }

    [Fact]
    public async Task Doctor_reports_every_part_and_fails_on_a_store_it_cannot_write()
    {
        var well = await RunAsync(["doctor", "--json"], ("HF_HUB_OFFLINE", "1"));
        var checks = JsonNode.Parse(well.Out)!["checks"]!.AsArray();
        Assert.Equal([".net", "processor", "memory", "libtorch", "gpu", "store", "hub", "hub cache"], checks.Select(check => (string?)check!["name"]));
        Assert.All(checks.Where(check => (string?)check!["state"] != "ok"), check => Assert.NotNull(check!["cure"]));
        Assert.Equal("offline", ((string?)checks[6]!["finding"])![..7]);

        File.WriteAllText(Path.Combine(_folder, "file"), "");
        var broken = await RunAsync(["doctor", "--store", "file/store"], ("HF_HUB_OFFLINE", "1"));
        Assert.Equal(1, broken.Code);
        Assert.Contains("--store or SSTI_STORE", broken.Out);
    }

    [Fact]
    public async Task Doctor_says_how_to_cure_a_wrong_libtorch_folder()
    {
        var broken = await RunAsync(["doctor"], ("HF_HUB_OFFLINE", "1"), ("SSTI_LIBTORCH", _folder));
        Assert.Equal(1, broken.Code);
        Assert.Contains("failed  libtorch", broken.Out);
        Assert.Contains("torch/lib", broken.Out);
    }

    [Fact]
    public async Task An_impossible_hub_is_a_usage_error_and_not_a_crash()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), Corpus);
        var run = await RunAsync(["run", "p.yaml"], ("HF_ENDPOINT", "nonsense"));
        Assert.Equal(2, run.Code);
        Assert.Equal("ssti: HF_ENDPOINT is 'nonsense', which is not an http or https address", run.Error.Trim());
    }

    /// <summary>A server that is not there may come: it is asked again for a minute, and whoever waits is told what for.</summary>
    [Fact]
    public async Task A_lock_that_waits_for_the_Hub_says_so_at_once()
    {
        File.WriteAllText(Path.Combine(_folder, "p.yaml"), "stages: { data: { uses: dataset, with: { source: 'hf://owner/name' } } }");
        using var refusing = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        refusing.Start();
        var port = ((System.Net.IPEndPoint)refusing.LocalEndpoint).Port;
        refusing.Stop();
        using var process = SstiProcess.Start(_folder, ["lock", "p.yaml"], ("HF_ENDPOINT", $"http://127.0.0.1:{port}"), ("HF_HOME", _folder), ("SSTI_CACHE", _folder));
        var line = await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
        process.Kill();
        Assert.Matches($"owner/name.*: .*127.0.0.1:{port}.*; trying again in 1 s", line);
    }

    private static string? State(string json) => (string?)JsonNode.Parse(json)!["stages"]![0]!["state"];

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) => RunAsync(arguments, []);

    private Task<(int Code, string Out, string Error)> RunAsync(string[] arguments, params (string Name, string Value)[] environment) =>
        SstiProcess.RunAsync(_folder, arguments, environment);

    private Process Start(string[] arguments) => SstiProcess.Start(_folder, arguments);
}
