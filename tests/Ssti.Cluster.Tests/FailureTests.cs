using System.Globalization;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

/// <summary>A silo that is killed while a stage runs.</summary>
public sealed class FailureTests
{
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
        var running = cluster.RunAsync(TestCluster.Long, listener);
        await cluster.UntilAsync(() => listener.Steps >= 30, "half of the steps");
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
        Assert.Equal((await cluster.RunHereAsync(TestCluster.Long)).Stages[0].Tree, run.Stages[0].Tree);
        Assert.Equal(2, run.Stages[0].Attempts);
        // Nothing of the checkpoints stays behind.
        var keys = new List<string>();
        await foreach (var key in new FileStore(cluster.Store).KeysAsync()) keys.Add(key.ToString());
        Assert.Equal([run.Stages[0].Key.ToString()!], keys);
    }
}
