using System.Globalization;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

/// <summary>What is killed, stopped or restarted while stages run.</summary>
public sealed class FailureTests
{
    private const string Long = "name: long\nseed: 5\nstages:\n  train: { uses: steps, with: { steps: 60, milliseconds: 80, every: 5 } }\n";

    // With a cache folder of its own a silo cannot reach the other's scratch folder: checkpoints go through the store.
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_silo_killed_in_mid_training_is_noticed_and_another_goes_on_from_its_checkpoint(bool shared)
    {
        await using var cluster = await TestCluster.StartAsync();
        string Own(string name) => shared ? "" : $"Ssti__Cache={cluster.Folder}/{name} Ssti__CheckpointSeconds=1";
        Child[] silos = [cluster.Silo(Own("a")), cluster.Silo(Own("b"))];
        await cluster.ReadyAsync();
        var listener = new Listener();
        var running = cluster.RunAsync(Long, listener);
        await cluster.UntilAsync(() => Steps(listener) >= 30, "half of the steps");
        if (!shared) await cluster.UntilAsync(() => TestCluster.KeepsCheckpointAsync(new FileStore(cluster.Store)), "the checkpoint in the store");
        var victim = silos.Single(silo => cluster.Noted[0].StartsWith($"{silo.Id} ", StringComparison.Ordinal));
        await victim.KillAsync();
        var killed = DateTime.UtcNow;
        await cluster.UntilAsync(() => cluster.Noted.Length == 2, "a second beginning");
        var noticed = DateTime.UtcNow - killed;
        var run = await running;

        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        var resumed = int.Parse(cluster.Noted[1].Split(' ')[3], CultureInfo.InvariantCulture);
        Assert.InRange(resumed, 5, 59);
        Assert.NotEqual(cluster.Noted[0].Split(' ')[0], cluster.Noted[1].Split(' ')[0]);
        Assert.True(noticed < TimeSpan.FromSeconds(20), $"noticed after {noticed}");
        Assert.Contains(listener.Events, happened => happened is RunEvent.StageRetried retried && retried.Error.Contains("was lost", StringComparison.Ordinal));
        Assert.Equal((await cluster.RunHereAsync(Long)).Stages[0].Tree, run.Stages[0].Tree);
        Assert.Equal(2, run.Stages[0].Attempts);
        // Nothing of the checkpoints stays behind.
        var keys = new List<string>();
        await foreach (var key in new FileStore(cluster.Store).KeysAsync()) keys.Add(key.ToString());
        Assert.Equal([run.Stages[0].Key.ToString()!], keys);
    }

    [SkippableFact]
    public async Task A_silo_told_to_stop_checkpoints_what_it_runs_and_hands_it_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        Child[] silos = [cluster.Silo(), cluster.Silo()];
        await cluster.ReadyAsync();
        var listener = new Listener();
        var running = cluster.RunAsync(Long, listener);
        await cluster.UntilAsync(() => Steps(listener) >= 12, "some steps");
        var first = silos.Single(silo => cluster.Noted[0].StartsWith($"{silo.Id} ", StringComparison.Ordinal));
        var code = await first.StopAsync();
        var run = await running;

        Assert.Equal(0, code);
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        // Not one step is done twice, and being handed back is no failed attempt.
        var stopped = cluster.Noted.Single(line => line.Contains("interrupted", StringComparison.Ordinal)).Split(' ')[3];
        Assert.Equal(stopped, cluster.Noted.Last(line => line.Contains("begin", StringComparison.Ordinal)).Split(' ')[3]);
        Assert.DoesNotContain(listener.Events, happened => happened is RunEvent.StageRetried);
        Assert.Equal(1, run.Stages[0].Attempts);
        Assert.Equal((await cluster.RunHereAsync(Long)).Stages[0].Tree, run.Stages[0].Tree);
    }

    [SkippableFact]
    public async Task A_damaged_input_is_rebuilt_in_the_same_run_and_the_submitter_is_told()
    {
        await using var cluster = await TestCluster.StartAsync("", "");
        const string Yaml = """
            name: damaged
            stages:
              a: { uses: make, with: { text: one } }
              b: { uses: make, needs: { parts: [a] }, with: { text: two } }
            """;
        var first = await cluster.RunAsync(Yaml);
        var store = new FileStore(cluster.Store);
        var path = store.PathOf((await store.TreeAsync(first.Stages[0].Tree!.Value)).Files[0].Digest);
        var bytes = File.ReadAllBytes(path);
        bytes[0] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
        var run = await cluster.RunAsync(Yaml.Replace("two", "three"));

        Assert.Equal([StageState.Done, StageState.Done], run.Stages.Select(stage => stage.State));
        Assert.Equal(first.Stages[0].Tree, run.Stages[0].Tree);
        Assert.Contains("it is rebuilt in this run", run.Warnings[0]);
    }

    [SkippableFact]
    public async Task Redis_killed_and_restarted_in_mid_run_loses_nothing()
    {
        await using var cluster = await TestCluster.StartAsync("", "");
        var yaml = "name: chain\nseed: 2\nstages:\n  one: { uses: steps, with: { steps: 30 } }\n  two: { uses: steps, with: { steps: 31 } }\n"
            + "  three: { uses: make, with: { milliseconds: 4000 } }\n  four: { uses: make, needs: { parts: three }, with: { milliseconds: 300 } }\n";
        var listener = new Listener();
        var running = cluster.RunAsync(yaml, listener);
        await cluster.UntilAsync(() => cluster.Noted.Length >= 3, "stages that run");
        await cluster.Redis.KillAsync();
        await Task.Delay(2500);
        await cluster.Redis.StartAsync();
        var run = await running;

        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal(["four", "one", "three", "two"], cluster.Noted.Where(line => !line.Contains(" end ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]).Order());
        Assert.DoesNotContain(listener.Events, happened => happened is RunEvent.StageRetried);
        // And the cluster is a cluster as before: newcomers find it, submitters and silos.
        cluster.Silo("Test__Version=2");
        await cluster.ReadyAsync();
        Assert.Equal(RunOutcome.Succeeded, (await cluster.RunAsync("name: after\nstages:\n  x: { uses: make }\n", version: 2)).Outcome);
    }

    [SkippableFact]
    public async Task Cancelling_a_run_reaches_the_silo_and_another_run_goes_on_from_there()
    {
        await using var cluster = await TestCluster.StartAsync("");
        var listener = new Listener();
        using var cancellation = new CancellationTokenSource();
        var running = cluster.RunAsync(Long, listener, cancellation.Token);
        await cluster.UntilAsync(() => Steps(listener) >= 10, "some steps");
        await cancellation.CancelAsync();
        var run = await running;

        Assert.Equal(RunOutcome.Cancelled, run.Outcome);
        await cluster.UntilAsync(() => cluster.Noted.Any(line => line.Contains("interrupted train", StringComparison.Ordinal)), "the interruption");
        var again = await cluster.RunAsync(Long);
        Assert.Equal(StageState.Done, again.Stages[0].State);
        Assert.Equal(cluster.Noted[1].Split(' ')[3], cluster.Noted[2].Split(' ')[3]);
        Assert.Equal((await cluster.RunHereAsync(Long)).Stages[0].Tree, again.Stages[0].Tree);
    }

    [SkippableFact]
    public async Task Work_that_one_submitter_leaves_goes_on_for_another_and_stops_when_the_last_is_gone()
    {
        await using var cluster = await TestCluster.StartAsync("Ssti__LeaseSeconds=5");
        var pipeline = cluster.Pipeline(Long.Replace("steps: 60", "steps: 400", StringComparison.Ordinal));
        var listener = new Listener();
        using var cancellation = new CancellationTokenSource();
        await using var one = await cluster.ConnectAsync();
        var two = await cluster.ConnectAsync();
        var leaving = cluster.RunAsync(one, pipeline, null, cancellation.Token);
        var staying = cluster.RunAsync(two, pipeline, listener);
        await cluster.UntilAsync(() => Steps(listener) >= 5, "some steps");
        await cancellation.CancelAsync();
        Assert.Equal(RunOutcome.Cancelled, (await leaving).Outcome);
        var before = Steps(listener);
        await cluster.UntilAsync(() => Steps(listener) > before + 5, "more steps for the other");
        Assert.Single(cluster.Noted);

        // The other dies without a word: its connection is gone, and nobody asks any more.
        await two.DisposeAsync();
        await cluster.UntilAsync(() => cluster.Noted.Any(line => line.Contains("interrupted", StringComparison.Ordinal)), "the interruption", 20);
        _ = staying.ContinueWith(ended => ended.Exception, TaskScheduler.Default);
    }

    private static long Steps(Listener listener) => listener.Events.OfType<RunEvent.StageProgressed>().Select(progressed => progressed.Progress.Done).LastOrDefault();
}
