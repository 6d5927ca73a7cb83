using System.Text;
using Ssti.Engine.Running;

namespace Ssti.Cluster.Tests;

[Collection(CalmClusterCollection.Name)]
public sealed class SingleFlightTests(CalmCluster calm)
{
    [SkippableFact]
    public async Task Ten_submitters_of_one_pipeline_execute_each_key_once_and_agree()
    {
        var cluster = await calm.ForTestAsync();
        var yaml = new StringBuilder("name: many\nseed: 3\nstages:\n");
        for (var i = 0; i < 8; i++) yaml.Append($"  a{i}: {{ uses: make, with: {{ text: a{i}, milliseconds: {i * 15} }} }}\n");
        for (var i = 0; i < 8; i++) yaml.Append($"  b{i}: {{ uses: make, needs: {{ parts: [a{i}, a{(i + 1) % 8}] }}, with: {{ milliseconds: {i * 10} }} }}\n");
        yaml.Append($"  last: {{ uses: make, needs: {{ parts: [{string.Join(", ", Enumerable.Range(0, 8).Select(i => $"b{i}"))}] }} }}\n");

        var runs = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => cluster.RunAsync(yaml.ToString())));

        Assert.All(runs, run => Assert.Equal(RunOutcome.Succeeded, run.Outcome));
        Assert.Equal(17, cluster.Noted.Length);
        Assert.Equal(17, cluster.Noted.Select(line => line.Split(' ')[2]).Distinct().Count());
        // Both silos had a share of it.
        Assert.Equal(2, cluster.Noted.Select(line => line.Split(' ')[0]).Distinct().Count());
        var here = await cluster.RunHereAsync(yaml.ToString());
        Assert.All(
            runs,
            run => Assert.Equal(
                here.Stages.Select(stage => (stage.Instance.Name, stage.Key, stage.Tree)),
                run.Stages.Select(stage => (stage.Instance.Name, stage.Key, stage.Tree))));
        Assert.Equal(170, runs.Sum(run => run.Stages.Count(stage => stage.State is StageState.Done or StageState.Cached)));
    }
}
