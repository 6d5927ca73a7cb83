using Ssti.Cluster.Client;
using Ssti.Engine.Keys;
using Ssti.Engine.Running;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

/// <summary>What goes wrong is told as on one machine, or says what is wrong with the cluster.</summary>
[Collection(CalmClusterCollection.Name)]
public sealed class ErrorTests(CalmCluster calm)
{
    [SkippableFact]
    public async Task Failures_sources_and_logs_arrive_as_from_a_run_on_this_machine()
    {
        var cluster = await calm.ForTestAsync();
        File.WriteAllText(Path.Combine(cluster.Folder, "good.txt"), "good");
        File.WriteAllText(Path.Combine(cluster.Folder, "worse.txt"), "a bad line");
        Directory.CreateDirectory(Path.Combine(cluster.Folder, "many", "deep"));
        File.WriteAllText(Path.Combine(cluster.Folder, "many", "one.txt"), "1");
        File.WriteAllText(Path.Combine(cluster.Folder, "many", "deep", "two.txt"), "2");
        // The last one only so that "keep going" has something to keep.
        var yaml = """
            name: wrong
            stages:
              foreseen: { uses: fail }
              unforeseen: { uses: fail, with: { unforeseen: true } }
              good: { uses: read, with: { source: good.txt, another: many } }
              bad: { uses: read, with: { source: worse.txt } }
              fine: { uses: make }
            """;
        var listener = new Listener();
        await using var connection = await cluster.ConnectAsync();
        var store = new FileStore(cluster.Store);
        var options = new RunOptions { Jobs = 8, KeepGoing = true };
        var workspace = new Workspace(Path.Combine(cluster.Folder, "runs-there"));
        var there = await new Runner(store, workspace, new KeyBuilder(connection.Probe(new Host.TestProbe(false))), worker: connection.Worker(store))
            .RunAsync(cluster.Pipeline(yaml), options, listener);
        var own = Path.Combine(cluster.Folder, "runs-here");
        var here = await new Runner(new FileStore(own), new Workspace(own), new KeyBuilder(new Host.TestProbe(false))).RunAsync(cluster.Pipeline(yaml), options);

        Assert.Equal(
            here.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Tree, Told(stage, here))),
            there.Stages.Select(stage => (stage.Instance.Name, stage.State, stage.Tree, Told(stage, there))));
        Assert.Equal("there is no data; give some", there.Stages[0].Error);
        Assert.EndsWith("worse.txt: line 1 is bad", there.Stages[3].Error, StringComparison.Ordinal);
        Assert.All(there.Stages, stage => Assert.DoesNotContain("   at ", stage.Error ?? "", StringComparison.Ordinal));
        // The log file is here, with the trace that only it has; and lines came while the stage ran.
        var log = File.ReadAllText(there.Stages[1].LogPath!);
        Assert.Contains("about to fail", log, StringComparison.Ordinal);
        Assert.Contains("   at Ssti.Cluster.Host.FailKind", log, StringComparison.Ordinal);
        Assert.Contains(listener.Events, happened => happened is RunEvent.StageLogged { Line: "about to fail" });
        Assert.DoesNotContain(cluster.Folder + "/store/work", string.Concat(there.Stages.Select(stage => stage.Error)), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Silos_of_another_version_are_named_and_nothing_is_run()
    {
        var cluster = await calm.ForTestAsync();
        var run = await cluster.RunAsync("name: old\nstages:\n  x: { uses: make }\n", version: 3);

        Assert.Equal(RunOutcome.Failed, run.Outcome);
        Assert.Contains("runs 'make' version 1, not 3", run.Stages[0].Error, StringComparison.Ordinal);
        Assert.Contains("Update so that both sides are the same version", run.Stages[0].Error, StringComparison.Ordinal);
        Assert.Empty(cluster.Noted);
    }

    [SkippableFact]
    public async Task A_submitter_with_another_store_is_told_of_both()
    {
        var cluster = await calm.ForTestAsync();
        await using var connection = await cluster.ConnectAsync();
        var other = new FileStore(Path.Combine(cluster.Folder, "other"));
        var runner = new Runner(other, new Workspace(other.Location), new KeyBuilder(new Host.TestProbe(false)), worker: connection.Worker(other));
        var run = await runner.RunAsync(cluster.Pipeline("name: lost\nstages:\n  x: { uses: make }\n"), new RunOptions());

        Assert.Equal(StageState.Failed, run.Stages[0].State);
        Assert.Contains(cluster.Store, run.Stages[0].Error, StringComparison.Ordinal);
        Assert.Contains(other.Location, run.Stages[0].Error, StringComparison.Ordinal);
    }

    // All but the folder of the run, which the message names when the log says more.
    private static string? Told(StageResult stage, RunResult run) =>
        stage.Error?.Replace(Path.GetDirectoryName(run.Stages.First(one => one.LogPath is not null).LogPath)!, "~", StringComparison.Ordinal);
}
