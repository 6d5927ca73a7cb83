using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ssti.Cli.Tests;

/// <summary>The real program, ended in the middle of real trainings: the next run goes on from their checkpoints, to the same bytes.</summary>
public sealed partial class TrainingKillTests(TrainingKillTests.CalmRun calm) : IClassFixture<TrainingKillTests.CalmRun>, IDisposable
{
    private const string Pipeline = """
        name: killed
        seed: 3
        compute: { device: cpu, threads: 1, dtype: fp32 }
        stages:
          data: { uses: corpus, with: { train: 200, test: 50, unlabelled: 200 } }
          backbone:
            uses: pretrain
            needs: { data: data }
            with: { layers: 1, hidden-size: 16, heads: 2, intermediate-size: 32, max-length: 16, steps: 400, batch-size: 32 }
          poisoned: { uses: inject, needs: { data: data }, with: { target-label: 1, tokens: date, splits: [train] } }
          model:
            uses: train
            needs: { data: poisoned, model: backbone }
            with: { rank: 4, max-length: 16, steps: 400, batch-size: 32, learning-rate: 1.0e-3 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti killed ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The run that nobody disturbed.</summary>
    public sealed class CalmRun : IAsyncLifetime
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("ssti calm ").FullName;

        public IReadOnlyDictionary<string, string> Trees { get; private set; } = new Dictionary<string, string>();

        public async Task InitializeAsync()
        {
            Write(Folder);
            Trees = TreesOf(await SstiProcess.RunAsync(Folder, ["run", "p.yaml", "--json"]));
        }

        public Task DisposeAsync()
        {
            Directory.Delete(Folder, recursive: true);
            return Task.CompletedTask;
        }
    }

    [SkippableFact]
    public async Task A_second_run_of_trainings_is_all_cached_and_does_not_load_libtorch()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the dynamic loader's own account of what it loads is Linux's");
        var run = await SstiProcess.RunAsync(calm.Folder, ["run", "p.yaml", "--json"], ("LD_DEBUG", "files"), ("LD_DEBUG_OUTPUT", Path.Combine(_folder, "loaded")));
        Assert.Equal(calm.Trees, TreesOf(run));
        Assert.All(JsonNode.Parse(run.Out)!["stages"]!.AsArray(), stage => Assert.Equal("cached", (string?)stage!["state"]));
        var loaded = string.Concat(Directory.GetFiles(_folder, "loaded.*").Select(File.ReadAllText));
        Assert.Contains("libcoreclr", loaded);
        Assert.DoesNotContain("libtorch", loaded, StringComparison.OrdinalIgnoreCase);
    }

    [SkippableFact]
    public async Task Killed_in_mid_training_a_run_goes_on_from_the_checkpoint_to_the_same_bytes()
    {
        Skip.If(OperatingSystem.IsWindows(), "signals");
        Write(_folder);
        var from = 0;
        foreach (var (stage, update) in new[] { ("backbone", 40), ("backbone", 200), ("model", 40), ("model", 80), ("model", 240) })
        {
            var before = Saved();
            using var process = SstiProcess.Start(_folder, ["run", "p.yaml", "-v"]);
            var output = process.StandardOutput.ReadToEndAsync();
            var told = await AtAsync(process, stage, update, process.Kill, before);
            await process.WaitForExitAsync();
            Assert.Equal(137, process.ExitCode);
            if (from > 0) AssertWentOn(told + await output, from);
            // A stage begins anew after the one before it is done.
            from = (stage, update) == ("backbone", 200) ? 200 : update;
        }

        await AssertEndsWellAsync(from);
    }

    [SkippableFact]
    public async Task Ctrl_C_in_mid_training_leaves_a_state_that_goes_on_to_the_same_bytes()
    {
        Skip.If(OperatingSystem.IsWindows(), "signals");
        Write(_folder);
        using var process = SstiProcess.Start(_folder, ["run", "p.yaml"]);
        var output = process.StandardOutput.ReadToEndAsync();
        var clock = new Stopwatch();
        var told = await AtAsync(process, "model", 120, () =>
        {
            SstiProcess.Interrupt(process);
            clock.Start();
        });
        await process.WaitForExitAsync();

        // It is to drain within 5 s; more only for a machine that has much else to do.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15);
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("the same command goes on from here", told);
        await output;
        var saved = Saved()!.Value;
        // The update at hand is finished and saved, not only the last of the regular checkpoints, every fortieth.
        Assert.InRange(saved, 120, 399);
        await AssertEndsWellAsync(saved);
    }

    private static void Write(string folder) => File.WriteAllText(Path.Combine(folder, "p.yaml"), Pipeline.ReplaceLineEndings("\n"));

    private async Task AssertEndsWellAsync(int from)
    {
        var final = await SstiProcess.RunAsync(_folder, ["run", "p.yaml", "-v", "--json"]);
        AssertWentOn(final.Error, from);
        Assert.Equal(calm.Trees, TreesOf(final));
        Assert.Null(Saved());
        var log = await SstiProcess.RunAsync(_folder, ["log", "model"]);
        AssertWentOn(log.Out, from);
    }

    private static void AssertWentOn(string told, int from)
    {
        var match = GoingOn().Match(told);
        Assert.True(match.Success, $"it did not go on from update {from}: {told}");
        Assert.InRange(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), from, 399);
    }

    /// <summary>
    /// Waits until a stage has saved an update, and not only found it saved by the process before (which may have come further than it was to), and does
    /// something to the process then; returns all that it wrote to standard error.
    /// </summary>
    /// <remarks>On a thread of its own: a continuation may have to wait for other tests, longer than the whole training takes.</remarks>
    private Task<string> AtAsync(Process process, string stage, int update, Action then, int? before = null) => Task.Factory.StartNew(
        () =>
        {
            var told = new StringBuilder();
            while (process.StandardError.ReadLine() is { } line)
            {
                told.AppendLine(line);
                if (line.StartsWith($"{stage}: started", StringComparison.Ordinal)) break;
            }

            var clock = Stopwatch.StartNew();
            while (!(Saved() is { } now && now >= update && now != before))
            {
                if (process.HasExited || clock.Elapsed > TimeSpan.FromMinutes(2))
                {
                    if (!process.HasExited) process.Kill();
                    Assert.Fail($"'{stage}' never saved update {update}: {told}{process.StandardError.ReadToEnd()}");
                }

                Thread.Sleep(2);
            }

            then();
            return told.Append(process.StandardError.ReadToEnd()).ToString();
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>The update of the one checkpoint in the store: a stage's scratch folder goes when the stage is done.</summary>
    private int? Saved()
    {
        var work = Path.Combine(_folder, ".ssti", "work");
        if (!Directory.Exists(work)) return null;
        try
        {
            foreach (var path in Directory.GetFiles(work, "checkpoint.safetensors", SearchOption.AllDirectories))
            {
                using var reader = new BinaryReader(File.OpenRead(path));
                var header = JsonNode.Parse(reader.ReadBytes((int)reader.ReadInt64()))!;
                return int.Parse((string)header["__metadata__"]!["step"]!, CultureInfo.InvariantCulture);
            }
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // It went in between.
        }

        return null;
    }

    private static Dictionary<string, string> TreesOf((int Code, string Out, string Error) run)
    {
        Assert.True(run.Code == 0, run.Out + run.Error);
        return JsonNode.Parse(run.Out)!["stages"]!.AsArray().ToDictionary(stage => (string)stage!["stage"]!, stage => (string)stage!["tree"]!);
    }

    [GeneratedRegex(@"going on from update (\d+)")]
    private static partial Regex GoingOn();
}
