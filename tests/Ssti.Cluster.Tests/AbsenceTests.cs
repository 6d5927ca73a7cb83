using Ssti.Cluster.Client;

namespace Ssti.Cluster.Tests;

/// <summary>A cluster that is not there.</summary>
public sealed class AbsenceTests
{
    [SkippableFact]
    public async Task A_cluster_without_silos_is_no_cluster()
    {
        await using var cluster = await TestCluster.StartAsync();
        var error = await Assert.ThrowsAsync<ClusterException>(cluster.ConnectAsync);
        Assert.Contains("no silo answers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redis_that_is_not_there_is_told()
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() => ClusterConnection.OpenAsync(ClusterAddress.Parse($"127.0.0.1:{Ports.Free()}")));
        Assert.Contains("does not answer", error.Message, StringComparison.Ordinal);
        Assert.Contains("redis-server --appendonly yes", error.Message, StringComparison.Ordinal);
    }
}
