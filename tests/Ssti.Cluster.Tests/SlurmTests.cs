using Ssti.Tests;

namespace Ssti.Cluster.Tests;

/// <summary>The recipe for Slurm, on a Slurm of the test's own.</summary>
public sealed class SlurmTests
{
    private const int Skipped = 77;

    [SkippableFact]
    public async Task A_job_that_is_stopped_and_cancelled_goes_on_from_its_checkpoints_to_the_same_table()
    {
        await using var check = new Child(Path.Combine(Repository.Root, "tests/slurm/check"), [Path.Combine(AppContext.BaseDirectory, "ssti.dll")]);
        var code = await check.EndAsync(600);
        Skip.If(code == Skipped, check.Said.Trim());
        Assert.True(code == 0, check.Said);
    }
}
