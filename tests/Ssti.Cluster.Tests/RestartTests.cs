using Ssti.Engine.Running;

namespace Ssti.Cluster.Tests;

/// <summary>What is stopped, or restarted, while stages run.</summary>
public sealed class RestartTests
{
    [SkippableFact]
    public async Task A_silo_told_to_stop_checkpoints_what_it_runs_and_hands_it_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        Child[] silos = [cluster.Silo(), cluster.Silo()];
        await cluster.ReadyAsync();
        var listener = new Listener();
        var running = cluster.RunAsync(TestCluster.Long, listener);
        await cluster.UntilAsync(() => listener.Steps >= 12, "some steps");
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
        Assert.Equal((await cluster.RunHereAsync(TestCluster.Long)).Stages[0].Tree, run.Stages[0].Tree);
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
}
