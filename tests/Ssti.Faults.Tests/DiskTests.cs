using System.Diagnostics;
using Ssti.Store.Files;

namespace Ssti.Faults.Tests;

public sealed class DiskTests(CalmRun calm) : IClassFixture<CalmRun>
{
    [SkippableFact]
    public async Task A_full_disk_is_told_and_what_is_finished_is_kept()
    {
        using var victim = new Victim();
        using var disk = new SmallDisk(Path.Combine(victim.Folder, "disk"), "640k");
        victim.Store = Path.Combine(disk.Folder, "store");
        var full = await victim.Run();

        Assert.True(full.ExitCode == 1, $"{full.ExitCode}\n{full.Output}{full.Error}");
        Assert.Contains("is full; free some space", full.Output + full.Error);
        Assert.DoesNotContain("   at ", full.Output + full.Error);
        disk.Remount("size=64m");
        var done = File.ReadAllLines(victim.Executions).Length;
        var again = await victim.Run();

        Assert.True(again.ExitCode == 0, again.Output + again.Error);
        Assert.Equal(calm.Expected.Trees, again.Trees);
        Assert.True(again.Done.Count() < 60, $"{done} stages were executed before the disk was full, and all of them again");
    }

    /// <summary>Whether the disk has no room for a lock, for a folder, or for a journal to its end.</summary>
    [SkippableTheory]
    [InlineData(0)]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(16384)]
    [InlineData(40960)]
    public async Task On_a_full_disk_what_is_cached_is_given_and_no_run_is_left_half_begun(int left)
    {
        using var victim = new Victim();
        using var disk = new SmallDisk(Path.Combine(victim.Folder, "disk"), "64m");
        victim.Store = Path.Combine(disk.Folder, "store");
        var first = await victim.Run();
        Assert.Equal(0, first.ExitCode);
        Fill(Path.Combine(disk.Folder, "filler"), left);
        var cached = await victim.Run();
        var sixty = victim.Pipeline;
        victim.Pipeline = victim.Write("other.yaml", File.ReadAllText(sixty).Replace("seed: 40", "seed: 41"));
        var refused = await victim.Run();

        Assert.True(cached.ExitCode == 0, cached.Output + cached.Error);
        Assert.Empty(cached.Done);
        Assert.Equal(first.Trees, cached.Trees);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("is full; free some space", refused.Output + refused.Error);
        Assert.DoesNotContain("   at ", refused.Output + refused.Error);
        foreach (var run in Directory.GetDirectories(Path.Combine(victim.Store, "runs")))
            Assert.True(new FileInfo(Path.Combine(run, "journal.jsonl")) is { Exists: true, Length: > 0 }, $"{run} is empty: {cached.Error}{refused.Error}");
    }

    // All but some bytes: what the file system gives in whole pages.
    private static void Fill(string path, int left)
    {
        using var filler = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        var page = new byte[4096];
        try
        {
            while (true) filler.Write(page);
        }
        catch (IOException)
        {
            filler.SetLength(Math.Max(0, filler.Length - left));
        }
    }

    [SkippableFact]
    public async Task A_store_that_cannot_be_written_is_told_and_left_alone()
    {
        using var victim = new Victim();
        using var disk = new SmallDisk(Path.Combine(victim.Folder, "disk"), "64m");
        victim.Store = Path.Combine(disk.Folder, "store");
        Assert.Equal(0, (await victim.Run()).ExitCode);
        disk.Remount("ro");
        var cached = await victim.Run();
        var sixty = victim.Pipeline;
        victim.Pipeline = victim.Write("other.yaml", File.ReadAllText(sixty).Replace("seed: 40", "seed: 41"));
        var refused = await victim.Run();

        // What is there needs no writing; what is not does.
        Assert.Equal((0, ""), (cached.ExitCode, string.Join(" ", cached.Done)));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("cannot be written", refused.Error);
        Assert.Contains("--store", refused.Error);
        disk.Remount("rw");
        victim.Pipeline = sixty;
        Assert.Empty((await victim.Run()).Done);
    }

    [SkippableFact]
    public void A_lock_that_a_full_disk_refuses_is_not_held_by_nobody()
    {
        using var victim = new Victim();
        using var disk = new SmallDisk(Path.Combine(victim.Folder, "disk"), "64k");
        var path = Path.Combine(disk.Folder, "locks", "key");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var filler = Path.Combine(disk.Folder, "filler");
        Assert.Throws<IOException>(() => File.WriteAllBytes(filler, new byte[128 * 1024]));
        Assert.Throws<IOException>(() => FileLock.TryTake(path));
        File.Delete(filler);

        using var taken = FileLock.TryTake(path);
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task A_path_with_spaces_and_other_scripts_is_a_path()
    {
        using var victim = new Victim(" mit Leerzeichen, ünï — 数据 🧪");

        Assert.Equal(calm.Expected.Trees, (await victim.Run()).Trees);
    }

    /// <summary>A file system of its own in memory, where the tests may mount one.</summary>
    private sealed class SmallDisk : IDisposable
    {
        public SmallDisk(string folder, string size)
        {
            Folder = folder;
            Directory.CreateDirectory(folder);
            Skip.IfNot(OperatingSystem.IsLinux() && Mount("-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder), "needs the right to mount a tmpfs (root on Linux)");
        }

        public string Folder { get; }

        public void Remount(string options) => Assert.True(Mount("-o", $"remount,{options}", Folder));

        public void Dispose() => Execute("umount", "-l", Folder);

        private static bool Mount(params string[] arguments) => Execute("mount", arguments);

        private static bool Execute(string program, params string[] arguments)
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
                process!.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
