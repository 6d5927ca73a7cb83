namespace Ssti.Store.S3;

/// <summary>
/// Tries again what may succeed, after a pause that doubles and is partly random, so that many clients do not come back at once.
/// </summary>
/// <remarks>
/// The only retry there is: the SDK's own is turned off, because it ends where a response's body begins, and because attempts inside attempts
/// multiply.
/// </remarks>
/// <param name="attempts">How often something is tried without getting further.</param>
/// <param name="time">Measures the pauses.</param>
/// <param name="jitter">A number from 0 to 1.</param>
internal sealed class Retry(int attempts, TimeProvider time, Func<double> jitter)
{
    // Less than this is no headway worth starting over for: a server that breaks off after every few bytes is broken.
    internal const long Headway = 64 * 1024;

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200), Longest = TimeSpan.FromSeconds(10);

    /// <summary>Runs an action until it succeeds, fails for good, or failed too often.</summary>
    /// <param name="action">One attempt.</param>
    /// <param name="progress">How many bytes the action has come; attempts are counted afresh when it made headway. Null for all or nothing.</param>
    /// <param name="failed">Makes the final exception of the last error and the number of attempts.</param>
    /// <param name="cancellation">Ends it at once.</param>
    public async Task<T> RunAsync<T>(
        Func<CancellationToken, Task<T>> action, Func<long>? progress, Func<Exception, int, Exception> failed, CancellationToken cancellation)
    {
        var reached = progress?.Invoke() ?? 0;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await action(cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && e is not StoreException)
            {
                if (progress?.Invoke() is { } now && now >= reached + Headway) (reached, attempt) = (now, 1);
                if (attempt >= attempts || !S3Errors.IsTransient(e)) throw failed(e, attempt);
            }
            catch (Exception e) when (cancellation.IsCancellationRequested && e is not OperationCanceledException)
            {
                // A cancelled transfer can surface as a broken connection.
                throw new OperationCanceledException(e.Message, e, cancellation);
            }

            await Task.Delay(PauseAfter(attempt), time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The pause after an attempt: between half of a doubling span and the whole.</summary>
    public TimeSpan PauseAfter(int attempt)
    {
        var span = First * Math.Pow(2, Math.Min(attempt - 1, 16));
        return (span < Longest ? span : Longest) * (0.5 + (0.5 * jitter()));
    }
}

/// <summary>Notices that nothing moves any more: each sign of life puts the end off.</summary>
internal sealed class Watchdog : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _caller;
    private readonly TimeSpan _patience;

    public Watchdog(TimeSpan patience, CancellationToken caller)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        (_patience, _caller) = (patience, caller);
        Touch();
    }

    /// <summary>Ends when the caller cancels, or nothing has moved for too long.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Something moved.</summary>
    public void Touch() => _source.CancelAfter(_patience);

    /// <summary>Whether an error is this watchdog's doing; otherwise it is the caller's, or none of both.</summary>
    public bool Bit(Exception error) => _source.IsCancellationRequested && !_caller.IsCancellationRequested && error is not StoreException;

    /// <summary>What to throw then.</summary>
    public TimeoutException Timeout(Exception error) => new($"nothing moved for {_patience.TotalSeconds:0.#} s", error);

    public void Dispose() => _source.Dispose();
}
