using Amazon;

namespace Ssti.Store.S3.Tests;

/// <summary>The SDK's clock is one for the process: nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(ClockTests), DisableParallelization = true)]
public sealed class ClockCollection : ICollectionFixture<S3Server>;

[Collection(nameof(ClockTests))]
public sealed class ClockTests(S3Server server) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_an_hour_off_is_explained(int hours)
    {
        using var store = new S3Store(server.Options(_folder["cache"]));
        AWSConfigs.ManualClockCorrection = TimeSpan.FromHours(hours);
        try
        {
            var message = (await Assert.ThrowsAsync<StoreException>(() => store.SizesAsync([Digest.Of("a")]))).Message;
            Assert.Contains("the clock of this machine", message);
        }
        finally
        {
            AWSConfigs.ManualClockCorrection = TimeSpan.Zero;
        }

        // A clock that was set meanwhile is no reason to start the process again.
        Assert.Equal((long[])[-1], await store.SizesAsync([Digest.Of("a")]));
    }
}
