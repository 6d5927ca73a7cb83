using Ssti.Engine.Running;

namespace Ssti.Cluster.Tests;

public sealed class PlacementTests
{
    [SkippableFact]
    public async Task Stages_go_to_silos_that_host_their_kind_and_gpu_stages_to_a_gpu_of_their_own()
    {
        await using var cluster = await TestCluster.StartAsync();
        var plain = cluster.Silo("Test__Kinds=make,steps Ssti__Jobs=4");
        var equipped = cluster.Silo("Test__Kinds=steps Test__Cuda=1 Ssti__Gpus=2 Ssti__Jobs=8");
        await cluster.ReadyAsync();
        var run = await cluster.RunAsync("""
            name: gpus
            stages:
              on-gpu:
                uses: steps
                matrix: { n: [8, 9, 10, 11, 12] }
                compute: { device: cuda }
                with: { steps: "${{ matrix.n }}" }
              by-resource: { uses: steps, resources: { gpu: 1 }, compute: { device: cpu }, with: { steps: 9 } }
              plain: { uses: make }
            """);

        Assert.True(run.Outcome == RunOutcome.Succeeded, string.Join('\n', run.Stages.Select(stage => stage.Error)));
        var notes = cluster.Noted.Select(line => line.Split(' ')).ToList();
        Assert.Equal([$"{plain.Id}"], notes.Where(note => note[1] == "make").Select(note => note[0]));
        Assert.All(notes.Where(note => note[1] != "make"), note => Assert.Equal($"{equipped.Id}", note[0]));
        var (at, most) = (0, 0);
        var devices = new HashSet<string>();
        foreach (var note in notes.Where(note => note[1] is "begin" or "end"))
        {
            at += note[1] == "begin" ? 1 : -1;
            most = Math.Max(most, at);
            // Whoever holds a GPU holds it alone.
            if (note[2].StartsWith("on-gpu", StringComparison.Ordinal)) Assert.True(note[1] == "begin" ? devices.Add(note[^1]) : devices.Remove(note[^1]));
        }

        Assert.Equal(2, most);
    }

    [SkippableFact]
    public async Task Stages_share_the_gpus_of_a_silo_that_is_told_so_and_their_records_say_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Silo("Test__Kinds=steps Test__Cuda=1 Ssti__Gpus=2 Ssti__PerGpu=2 Ssti__Jobs=8");
        await cluster.ReadyAsync();
        var run = await cluster.RunAsync("""
            name: shared
            stages:
              on-gpu: { uses: steps, matrix: { n: [8, 9, 10, 11, 12, 13] }, compute: { device: cuda }, with: { steps: "${{ matrix.n }}" } }
            """);

        Assert.True(run.Outcome == RunOutcome.Succeeded, string.Join('\n', run.Stages.Select(stage => stage.Error)));
        var devices = new Dictionary<string, int>();
        var most = 0;
        foreach (var note in cluster.Noted.Select(line => line.Split(' ')).Where(note => note[1] is "begin" or "end"))
        {
            devices[note[^1]] = devices.GetValueOrDefault(note[^1]) + (note[1] == "begin" ? 1 : -1);
            Assert.InRange(devices[note[^1]], 0, 2);
            most = Math.Max(most, devices.Values.Sum());
        }

        Assert.Equal((2, 4), (devices.Count, most));
        Assert.All(run.Stages, stage => Assert.Equal(2, stage.PerGpu));
        // Of which machine a card is, its number does not say.
        Assert.Empty(run.Gpus);
    }

    [SkippableFact]
    public async Task What_waits_with_one_silo_goes_to_another_that_has_room()
    {
        await using var cluster = await TestCluster.StartAsync("Ssti__Jobs=1");
        // What runs ends when the gate is there, and so the only slot of the first silo is never free.
        var gate = Path.Combine(cluster.Folder, "gate");
        var running = cluster.RunAsync(
            $"name: wide\nstages:\n  w: {{ uses: make, matrix: {{ n: [1, 2, 3, 4, 5, 6, 7, 8] }}, with: {{ text: \"${{{{ matrix.n }}}}\", until: {gate} }} }}\n");
        await cluster.UntilAsync(() => cluster.Noted.Length >= 1, "a first stage");
        cluster.Silo("Ssti__Jobs=2");
        await cluster.ReadyAsync();
        await cluster.UntilAsync(() => cluster.Noted.Length >= 2, "a stage that went to the second silo");
        File.WriteAllText(gate, "");
        var run = await running;

        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal(8, cluster.Noted.Length);
        Assert.Equal(2, cluster.Noted.Select(line => line.Split(' ')[0]).Distinct().Count());
    }
}
