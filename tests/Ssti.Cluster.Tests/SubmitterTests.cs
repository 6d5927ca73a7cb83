using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

/// <summary>What a submitter gives up, and what it is told.</summary>
[Collection(CalmClusterCollection.Name)]
public sealed class SubmitterTests(CalmCluster calm)
{
    [SkippableFact]
    public async Task A_damaged_input_is_rebuilt_in_the_same_run_and_the_submitter_is_told()
    {
        var cluster = await calm.ForTestAsync();
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
    public async Task Cancelling_a_run_reaches_the_silo_and_another_run_goes_on_from_there()
    {
        var cluster = await calm.ForTestAsync();
        var listener = new Listener();
        using var cancellation = new CancellationTokenSource();
        var running = cluster.RunAsync(TestCluster.Long, listener, cancellation.Token);
        await cluster.UntilAsync(() => listener.Steps >= 10, "some steps");
        await cancellation.CancelAsync();
        var run = await running;

        Assert.Equal(RunOutcome.Cancelled, run.Outcome);
        await cluster.UntilAsync(() => cluster.Noted.Any(line => line.Contains("interrupted train", StringComparison.Ordinal)), "the interruption");
        var again = await cluster.RunAsync(TestCluster.Long);
        Assert.Equal(StageState.Done, again.Stages[0].State);
        Assert.Equal(cluster.Noted[1].Split(' ')[3], cluster.Noted[2].Split(' ')[3]);
        Assert.Equal((await cluster.RunHereAsync(TestCluster.Long)).Stages[0].Tree, again.Stages[0].Tree);
    }

    [SkippableFact]
    public async Task Work_that_one_submitter_leaves_goes_on_for_another_and_stops_when_the_last_is_gone()
    {
        var cluster = await calm.ForTestAsync();
        var pipeline = cluster.Pipeline(TestCluster.Long.Replace("steps: 60", "steps: 400", StringComparison.Ordinal));
        var listener = new Listener();
        using var cancellation = new CancellationTokenSource();
        await using var one = await cluster.ConnectAsync();
        var two = await cluster.ConnectAsync();
        var leaving = cluster.RunAsync(one, pipeline, null, cancellation.Token);
        var staying = cluster.RunAsync(two, pipeline, listener);
        await cluster.UntilAsync(() => listener.Steps >= 5, "some steps");
        await cancellation.CancelAsync();
        Assert.Equal(RunOutcome.Cancelled, (await leaving).Outcome);
        var before = listener.Steps;
        await cluster.UntilAsync(() => listener.Steps > before + 5, "more steps for the other");
        Assert.Single(cluster.Noted);

        // The other dies without a word: its connection is gone, and nobody asks any more.
        await two.DisposeAsync();
        await cluster.UntilAsync(() => cluster.Noted.Any(line => line.Contains("interrupted", StringComparison.Ordinal)), "the interruption", 20);
        _ = staying.ContinueWith(ended => ended.Exception, TaskScheduler.Default);
    }
}
