using Ssti.Engine.Maintenance;
using Ssti.Store.Files;

namespace Ssti.Faults.Tests;

public sealed class KillTests
{
    /// <summary><c>SSTI_KILLS</c> sets how often (the full count is 100); the moments are drawn by a fixed seed.</summary>
    [Fact]
    public async Task Killed_at_any_moment_a_run_goes_on_to_the_same_bytes()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable("SSTI_KILLS"), out var asked) ? asked : 25;
        using var calm = new Victim();
        var expected = await calm.Run();
        Assert.Equal((0, 60), (expected.ExitCode, expected.Trees.Count));
        using var victim = new Victim();
        var random = new Random(20261124);
        var fresh = 0;
        for (var killed = 0; killed < kills;)
        {
            // After so many stages have ended and a little more: a moment within whatever is going on then.
            using var process = victim.Start();
            for (var lines = random.Next(0, 14); lines > 0 && await process.StandardOutput.ReadLineAsync() is not null; lines--) { }
            await Task.Delay(random.Next(0, 25));
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
                killed++;
            }

            var files = new FileStore(victim.Store);
            var report = await new StoreVerifier(files).VerifyAsync(repair: false);
            Assert.True(report.IsSound, $"after kill {killed}: {string.Join("; ", report.DamagedBlobs)} {string.Join("; ", report.DamagedRecords)}");
            if (report.Records < 60) continue;
            await Agree(victim, expected);
            Directory.Delete(victim.Store, recursive: true);
            fresh++;
        }

        await Agree(victim, expected);
        Assert.True(fresh < kills, "the process was never killed in the middle");
    }

    private static async Task Agree(Victim victim, Outcome expected)
    {
        var final = await victim.Run();
        Assert.True(final.ExitCode == 0, final.Output + final.Error);
        Assert.Equal(expected.Trees, final.Trees);
        // Whatever lock files the dead left, nobody holds them; and the attempts they left are gone.
        foreach (var path in Directory.GetFiles(Path.Combine(victim.Store, "locks")).Where(p => Path.GetFileName(p) != "use"))
        {
            using var free = FileLock.TryTake(path);
            Assert.NotNull(free);
        }

        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(victim.Store, "work")), d => Directory.GetDirectories(d, "out-*").Length > 0);
        var again = await victim.Run();
        Assert.Empty(again.Done);
    }
}
