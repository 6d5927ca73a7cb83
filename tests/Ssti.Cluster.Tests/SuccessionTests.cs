using System.Diagnostics;
using Ssti.Engine.Running;
using StackExchange.Redis;

namespace Ssti.Cluster.Tests;

/// <summary>A cluster all of whose silos were killed at once, with nobody left who could notice, and a silo that is started then.</summary>
[Collection(AloneCollection.Name)]
public sealed class SuccessionTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_cluster_that_was_killed_is_back_at_once_on_new_ports(int silos)
    {
        await using var cluster = await TestCluster.StartAsync([.. Enumerable.Repeat("", silos)]);
        await cluster.KillSilosAsync();
        var clock = Stopwatch.StartNew();
        var successor = cluster.Silo();
        await cluster.ReadyAsync();
        var run = await cluster.RunAsync("name: after\nstages:\n  x: { uses: make }\n");

        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.True(clock.Elapsed < Soon, $"back after {clock.Elapsed}: {successor.Said}");
        Assert.Equal(silos, successor.Said.Split("declared dead").Length - 1);
        Assert.DoesNotContain("waiting for silo", successor.Said);
    }

    /// <summary>Of another machine nothing is known but that it does not answer; so its sign of life is waited for, and that is said.</summary>
    [SkippableFact]
    public async Task Dead_silos_of_another_machine_hold_it_up_for_seconds_and_it_says_so()
    {
        await using var cluster = await TestCluster.StartAsync("", "");
        await cluster.KillSilosAsync();
        await MoveRowsAsync(cluster.Redis.ConnectionString, "elsewhere");
        var clock = Stopwatch.StartNew();
        var successor = cluster.Silo();
        await cluster.ReadyAsync();

        Assert.True(clock.Elapsed < Soon, $"back after {clock.Elapsed}: {successor.Said}");
        Assert.Equal(2, successor.Said.Split("on elsewhere, which stands as active in Redis").Length - 1);
        Assert.Equal(RunOutcome.Succeeded, (await cluster.RunAsync("name: after\nstages:\n  x: { uses: make }\n")).Outcome);
    }

    private static async Task MoveRowsAsync(string redis, string host)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var (database, key) = (connection.GetDatabase(), Key(connection));
        var here = $"\"HostName\":\"{System.Net.Dns.GetHostName()}\"";
        var rows = (await database.HashGetAllAsync(key)).Where(row => row.Value.ToString().Contains(here, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
            await database.HashSetAsync(key, row.Name, row.Value.ToString().Replace(here, $"\"HostName\":\"{host}\"", StringComparison.Ordinal));
    }

    private static RedisKey Key(ConnectionMultiplexer connection) =>
        connection.GetServer(connection.GetEndPoints()[0]).Keys().Single(key => key.ToString().Contains("members", StringComparison.Ordinal));
}

/// <summary>Tests that hold a promise in seconds: no other of this project is to take the processor from them, so they come after the others, one by one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "promises in seconds";
}
