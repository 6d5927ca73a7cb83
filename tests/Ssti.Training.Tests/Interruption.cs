namespace Ssti.Training.Tests;

/// <summary>Ends a training in its middle.</summary>
internal static class Interruption
{
    private sealed class Killed : Exception;

    /// <summary>Ends it after an update: politely as Ctrl-C does, or as a kill does, which leaves no time for anything.</summary>
    public static void Of(int after, bool politely, Action<Action<StepRecord>, CancellationToken> train)
    {
        using var source = new CancellationTokenSource();
        void Progress(StepRecord record)
        {
            if (record.Step != after) return;
            if (!politely) throw new Killed();
            source.Cancel();
        }

        if (politely) Assert.ThrowsAny<OperationCanceledException>(() => train(Progress, source.Token));
        else Assert.Throws<Killed>(() => train(Progress, CancellationToken.None));
    }
}

/// <summary>Says whether the count of live tensors stays flat.</summary>
internal static class Flat
{
    /// <summary>Losses wait in batches of sixteen to be fetched: the same number of them waits at updates that are sixteen apart.</summary>
    public static void Assert(IReadOnlyList<long> counts)
    {
        Xunit.Assert.True(counts.Count >= 48);
        // Not the first, which is fetched at once, nor the last, after which no checkpoint fetches.
        for (var i = 17; i < counts.Count - 1; i++) Xunit.Assert.Equal(counts[(i % 16) + (i % 16 == 0 ? 16 : 0)], counts[i]);
    }
}
