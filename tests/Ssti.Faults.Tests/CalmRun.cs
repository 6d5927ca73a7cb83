namespace Ssti.Faults.Tests;

/// <summary>What nothing happens to: the pipeline run to its end once, and once more after it was changed. What others come to is compared with it.</summary>
public sealed class CalmRun : IAsyncLifetime
{
    private readonly Victim _calm = new();

    /// <summary>What the pipeline gives.</summary>
    internal Outcome Expected { get; private set; } = null!;

    /// <summary>What the changed pipeline gives.</summary>
    internal Outcome Changed { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Expected = await _calm.Run();
        Assert.True(Expected.ExitCode == 0, Expected.Output + Expected.Error);
        _calm.KeepCopy();
        Change(_calm);
        Changed = await _calm.Run();
        Assert.True(Changed.ExitCode == 0, Changed.Output + Changed.Error);
    }

    /// <summary>A victim whose store is as the calm run left it, before the pipeline was changed.</summary>
    internal Victim After()
    {
        var victim = new Victim();
        victim.TakeCopyOf(_calm);
        return victim;
    }

    /// <summary>Changes the pipeline: later stages have to run again, and so to read what was stored.</summary>
    internal static void Change(Victim victim) =>
        File.WriteAllText(
            victim.Pipeline,
            File.ReadAllText(victim.Pipeline)
                .Replace("  all: { uses: mix,", "  all: { uses: mix, with: { milliseconds: 6 },", StringComparison.Ordinal));

    public Task DisposeAsync()
    {
        _calm.Dispose();
        return Task.CompletedTask;
    }
}

