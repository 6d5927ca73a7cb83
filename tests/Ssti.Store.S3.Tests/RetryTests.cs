namespace Ssti.Store.S3.Tests;

public sealed class RetryTests
{
    private static readonly Func<Exception, int, Exception> Failed = (e, n) => new StoreException($"{n} attempts: {e.Message}", e);

    [Fact]
    public void Pauses_double_up_to_a_limit_and_are_half_chance()
    {
        var (least, most) = (new Retry(9, TimeProvider.System, () => 0), new Retry(9, TimeProvider.System, () => 1));
        Assert.Equal([100, 200, 400, 800, 1600], Enumerable.Range(1, 5).Select(n => least.PauseAfter(n).TotalMilliseconds));
        Assert.Equal([200, 400, 800, 1600, 3200], Enumerable.Range(1, 5).Select(n => most.PauseAfter(n).TotalMilliseconds));
        Assert.Equal(10_000, most.PauseAfter(100).TotalMilliseconds);
    }

    [Fact]
    public async Task It_ends_with_the_last_error_and_the_number_of_attempts()
    {
        var error = await Assert.ThrowsAsync<StoreException>(() => Run(3, null, _ => throw new IOException("broken")));
        Assert.Equal("3 attempts: broken", error.Message);
    }

    [Fact]
    public async Task An_error_that_will_not_go_away_is_not_tried_again() =>
        Assert.StartsWith("1 attempts", (await Assert.ThrowsAsync<StoreException>(() => Run(9, null, _ => throw new ArgumentException("ours")))).Message);

    [Fact]
    public async Task Headway_starts_the_count_over_but_crumbs_do_not()
    {
        var at = 0L;
        var calls = 0;
        Assert.Equal(20, await Run(2, () => at, _ => ++calls == 20 ? calls : Break(Retry.Headway)));
        calls = 0;
        Assert.StartsWith("2 attempts", (await Assert.ThrowsAsync<StoreException>(() => Run(2, () => at, _ => Break(60)))).Message);

        int Break(long bytes)
        {
            at += bytes;
            throw new IOException("broken");
        }
    }

    [Fact]
    public async Task Cancelling_ends_it_as_a_cancellation_whatever_broke()
    {
        using var cancel = new CancellationTokenSource();
        var retry = new Retry(9, new Instant(), () => 0);
        await Assert.ThrowsAsync<OperationCanceledException>(() => retry.RunAsync<int>(
            _ =>
            {
                cancel.Cancel();
                throw new IOException("aborted");
            }, null, Failed, cancel.Token));
    }

    private static Task<int> Run(int attempts, Func<long>? progress, Func<CancellationToken, int> action) =>
        new Retry(attempts, new Instant(), () => 0).RunAsync(token => Task.FromResult(action(token)), progress, Failed, default);

    // Timers that fire at once: pauses take no time here.
    private sealed class Instant : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
