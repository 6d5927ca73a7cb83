namespace Ssti.Faults.Tests;

public sealed class CrowdTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task Processes_at_once_on_one_store_execute_each_key_once_and_agree(int count)
    {
        using var victim = new Victim();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => victim.Run()));

        Assert.All(outcomes, o => Assert.True(o.ExitCode == 0, o.Output + o.Error));
        Assert.All(outcomes, o => Assert.Equal(outcomes[0].Trees, o.Trees));
        var executed = File.ReadAllLines(victim.Executions);
        // The three cells of "all" have one key, since nothing of them differs: one of the three is executed.
        Assert.Equal(58, executed.Length);
        Assert.Equal(58, executed.Distinct().Count());
        Assert.Equal(58, outcomes.Sum(o => o.Done.Count()));
    }
}
