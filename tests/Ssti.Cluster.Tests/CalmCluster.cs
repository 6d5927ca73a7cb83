namespace Ssti.Cluster.Tests;

/// <summary>
/// Two silos that nobody kills, for all tests that need no more: one after the other, each with stages and notes of its own. Their store is one, so that no two
/// tests may have a stage of equal key.
/// </summary>
public sealed class CalmCluster : IAsyncLifetime
{
    // Nobody is to be declared dead here, however busy the machine is.
    private const string Settings = "Ssti__LeaseSeconds=5 Ssti__ProbeSeconds=10";
    private Task<TestCluster>? _starting;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The cluster, with nothing noted. Begun by the first test that asks, since a fixture cannot skip where there is no Redis.</summary>
    internal async Task<TestCluster> ForTestAsync()
    {
        var cluster = await (_starting ??= TestCluster.StartAsync(Settings, Settings));
        File.WriteAllText(cluster.Notes, "");
        return cluster;
    }

    public async Task DisposeAsync()
    {
        if (_starting is { IsCompletedSuccessfully: true }) await (await _starting).DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class CalmClusterCollection : ICollectionFixture<CalmCluster>
{
    public const string Name = "a cluster that nobody kills";
}
