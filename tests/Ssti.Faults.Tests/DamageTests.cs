using Ssti.Store.Files;

namespace Ssti.Faults.Tests;

/// <summary>
/// A store that something happened to between two processes, and then a pipeline that changed: whatever it was, it is told or rebuilt, nothing damaged is
/// served, and in the end every digest is what it would have been.
/// </summary>
public sealed class DamageTests(CalmRun calm) : IClassFixture<CalmRun>
{
    [Theory]
    [InlineData("blobs cut short")]
    [InlineData("blobs of no length")]
    [InlineData("bits flipped")]
    [InlineData("blobs gone")]
    [InlineData("records cut short")]
    [InlineData("records of nothing")]
    [InlineData("records gone")]
    [InlineData("journals cut short")]
    [InlineData("history cut short")]
    [InlineData("journals and history of noise")]
    [InlineData("locks left behind")]
    [InlineData("files of the future")]
    public async Task Whatever_happened_to_a_store_the_digests_come_out_as_ever(string what)
    {
        using var victim = calm.After();
        Damage(victim.Store, what);
        CalmRun.Change(victim);
        var outcome = await victim.Run();
        // A flipped bit is found when its file is to be read, if any stage reads it: what made the file is rebuilt by the same run, and so on down the layers.
        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Output + outcome.Error);
        // What was rebuilt came to its end twice, with the same bytes.
        Assert.Equal(calm.Changed.Trees, outcome.Trees.Distinct());
        Assert.Empty((await victim.Run()).Done);
    }

    [Fact]
    public async Task A_clock_set_back_changes_nothing()
    {
        using var victim = new Victim();
        using (var killed = victim.Start("2030-01-01"))
        {
            for (var lines = 0; lines < 20 && await killed.StandardOutput.ReadLineAsync() is not null; lines++) { }
            killed.Kill();
            await killed.WaitForExitAsync();
        }

        var resumed = await victim.Run("1999-01-01");
        var again = await victim.Run("1970-01-02");
        var runs = new Engine.Records.RunHistory(new Workspace(victim.Store)).Ids;

        Assert.Equal(calm.Expected.Trees, resumed.Trees);
        Assert.True(resumed.Done.Count() < 60, "nothing of what was finished in the future is used");
        Assert.Empty(again.Done);
        Assert.Equal(["000003", "000002", "000001"], runs.Select(id => id.Split('-')[0]));
    }

    private static void Damage(string store, string what)
    {
        var random = new Random(20261124);
        string[] In(string folder) => [.. Directory.GetFiles(Path.Combine(store, folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        void Some(string folder, Action<string> damage, int of = 3)
        {
            // A third of all: some inputs are damaged and others are not, at every depth.
            foreach (var path in In(folder).Where(_ => random.Next(of) == 0))
            {
                File.SetAttributes(path, FileAttributes.Normal);
                damage(path);
            }
        }

        switch (what)
        {
            case "blobs cut short": Some("cas", path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1])); break;
            case "blobs of no length": Some("cas", path => File.WriteAllBytes(path, [])); break;
            case "bits flipped": Some("cas", path => Flip(path, random), of: 30); break;
            case "blobs gone": Some("cas", File.Delete); break;
            case "records cut short": Some("ac", path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..random.Next((int)new FileInfo(path).Length)])); break;
            case "records of nothing": Directory.Delete(Path.Combine(store, "cas"), recursive: true); break;
            case "records gone": Some("ac", path => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true)); break;
            case "journals cut short": foreach (var path in In("runs")) Cut(path); break;
            case "history cut short": foreach (var path in In("history")) Cut(path); break;
            case "journals and history of noise":
                foreach (var path in In("runs").Concat(In("history")))
                {
                    var noise = new byte[4000];
                    random.NextBytes(noise);
                    File.WriteAllBytes(path, noise);
                }

                break;
            case "locks left behind":
                // As a machine that lost its power leaves them: files, but nobody holds them.
                foreach (var key in Directory.GetDirectories(Path.Combine(store, "ac"))) File.WriteAllText(Path.Combine(store, "locks", Path.GetFileName(key)), "dead");
                Directory.Delete(Path.Combine(store, "cas"), recursive: true);
                break;
            case "files of the future": foreach (var path in In(".")) File.SetLastWriteTimeUtc(path, new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc)); break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private static void Cut(string path) => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^(int)Math.Min(37, new FileInfo(path).Length)]);

    private static void Flip(string path, Random random)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length == 0) return;
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        File.WriteAllBytes(path, bytes);
    }
}
