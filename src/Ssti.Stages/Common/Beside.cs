namespace Ssti.Stages;

/// <summary>
/// Work that needs no tensors: where a GPU computes, which waits for the processor, it is done by another thread beside what comes next;
/// on the CPU, where a stage has no more threads than it was given, it is done when it is asked for.
/// </summary>
internal sealed class Beside<T>
{
    private readonly Task<T>? _now;
    private readonly Lazy<T>? _later;

    /// <summary>Work, begun at once or later.</summary>
    /// <param name="work">The work.</param>
    /// <param name="now">Whether to begin it at once.</param>
    public Beside(Func<T> work, bool now) => (_now, _later) = now ? (Task.Run(work), null) : ((Task<T>?)null, new Lazy<T>(work));

    /// <summary>Whether it is time to ask: nobody would wait for another thread.</summary>
    public bool IsReady => _now is not { IsCompleted: false };

    /// <summary>The result, when it is there; what the work threw.</summary>
    public T Value => _now is null ? _later!.Value : _now.GetAwaiter().GetResult();
}
