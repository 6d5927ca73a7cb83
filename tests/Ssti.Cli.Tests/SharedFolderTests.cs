using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Ssti.Cli.Tests;

/// <summary>A store that several people use, and one that may only be read: with real users, so only where the tests run as the superuser.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SharedFolderTests : IDisposable
{
    private const int Group = 54321, First = 2001, Second = 2002;

    private const string Corpus = """
        name: toy
        stages:
          reviews:
            uses: corpus
            with: { train: 20, test: 10, unlabelled: 50 }
          more:
            uses: corpus
            with: { train: 30, test: 10, unlabelled: 50 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti shared ü ").FullName;

    private string Store => Path.Combine(_folder, "store");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task Two_users_of_a_groups_folder_run_collect_and_push_whatever_their_umask()
    {
        Prepare(shared: true);
        Assert.Equal(0, (await AsAsync(First, "run", "p.yaml", "--only", "reviews")).Code);
        foreach (var folder in Directory.GetDirectories(Store, "*", SearchOption.AllDirectories))
            Assert.True(File.GetUnixFileMode(folder) is var mode && mode.HasFlag(UnixFileMode.SetGroup | UnixFileMode.GroupWrite), $"{folder}: {mode}");
        foreach (var file in Directory.GetFiles(Path.Combine(Store, "cas"), "*", SearchOption.AllDirectories))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(file));

        // What the first began and left, as a kill would have: the second removes it.
        var dead = Path.Combine(Store, "work", new string('a', 64), "out-00000000", "sub");
        Directory.CreateDirectory(dead);
        File.WriteAllText(Path.Combine(dead, "half"), "");
        foreach (var path in (string[])[Path.Combine(Store, "work"), .. Directory.GetFileSystemEntries(Path.Combine(Store, "work"), "*", SearchOption.AllDirectories)])
            Own(path, First, Directory.Exists(path) ? "2775" : "664");

        var second = await AsAsync(Second, "run", "p.yaml", "--json");
        Assert.Equal((0, ""), (second.Code, second.Code == 0 ? "" : second.Error));
        Assert.Equal(["cached", "done"], JsonNode.Parse(second.Out)!["stages"]!.AsArray().Select(stage => (string?)stage!["state"]).Order());
        Assert.False(Directory.Exists(dead));
        Assert.Contains("ok      store", (await AsAsync(Second, "doctor")).Out);
        Assert.Equal(0, (await AsAsync(First, "run", "p.yaml", "--force", "*")).Code);
        Assert.Equal(0, (await AsAsync(Second, "gc", "--keep-last", "0", "--yes")).Code);
        Assert.Equal(0, (await AsAsync(Second, "run", "p.yaml")).Code);
        Assert.Equal(0, (await AsAsync(First, "verify", "--repair")).Code);

        Assert.Equal(0, (await AsAsync(First, "push", Path.Combine(_folder, "store/another"))).Code);
        Assert.Equal(0, (await AsAsync(Second, "pull", Path.Combine(_folder, "store/another"))).Code);
        Assert.True(File.GetUnixFileMode(Path.Combine(Store, "another/cas")).HasFlag(UnixFileMode.SetGroup | UnixFileMode.GroupWrite));
    }

    [SkippableFact]
    public async Task What_is_exported_from_a_shared_store_has_the_users_own_mode()
    {
        Prepare(shared: true);
        await AsAsync(First, "run", "p.yaml");
        Assert.Equal(0, (await AsAsync(First, "export", "p.yaml", "reviews", "out")).Code);
        Assert.False(File.GetUnixFileMode(Path.Combine(_folder, "u2001/out/train.jsonl")).HasFlag(UnixFileMode.GroupWrite));
    }

    [SkippableFact]
    public async Task In_a_folder_of_ones_own_nothing_is_opened_to_others()
    {
        Prepare(shared: false);
        await AsAsync(First, "run", "p.yaml");
        foreach (var folder in Directory.GetDirectories(Store, "*", SearchOption.AllDirectories))
            Assert.False(File.GetUnixFileMode(folder).HasFlag(UnixFileMode.GroupWrite));
    }

    [SkippableFact]
    public async Task Of_a_store_that_may_only_be_read_everything_that_reads_works_and_a_run_prints_what_is_cached()
    {
        Prepare(shared: false);
        Assert.Equal(0, (await AsAsync(First, "run", "p.yaml")).Code);
        Assert.Equal(0, (await AsAsync(First, "run", "p.yaml")).Code);
        string[][] reading =
        [
            ["plan", "p.yaml"], ["status", "p.yaml"], ["why", "p.yaml", "reviews"], ["show", "last"], ["show", "p.yaml", "reviews"], ["runs"], ["log", "reviews"],
            ["diff", "last~1", "last"], ["export", "p.yaml", "reviews", "out"], ["export", "last", "run.tar.gz"], ["verify"], ["graph", "p.yaml"], ["trace", "last"],
            ["gc"], ["push", "own"], ["run", "p.yaml", "--question"], ["run", "p.yaml", "-n"],
        ];
        foreach (var verb in reading)
        {
            var answer = await AsAsync(Second, verb);
            Assert.True(answer.Code == 0, $"{string.Join(' ', verb)}: {answer.Code} {answer.Error}");
        }

        var cached = await AsAsync(Second, "run", "p.yaml");
        Assert.Equal(0, cached.Code);
        Assert.Contains("0 executed, 2 cached", cached.Out);
        Assert.Single(cached.Error.Split('\n'), line => line.StartsWith($"this run is not recorded: the store {Store} cannot be written (", StringComparison.Ordinal));
        Assert.Equal("succeeded", (string?)JsonNode.Parse((await AsAsync(Second, "run", "p.yaml", "--json")).Out)!["outcome"]);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(Store, "runs")).Length);

        var stale = await AsAsync(Second, "run", "p.yaml", "--set", "more.train=40");
        Assert.Equal((1, ""), (stale.Code, stale.Out));
        Assert.StartsWith($"ssti: the store {Store} cannot be written (", stale.Error);
        Assert.Contains("more would run", stale.Error);
        Assert.DoesNotContain("   at ", stale.Error);

        var doctor = await AsAsync(Second, "doctor");
        Assert.Equal(1, doctor.Code);
        Assert.Contains("failed  store", doctor.Out);
        Assert.Contains("make it writable", doctor.Out);
    }

    // Two home folders with the pipeline, and a store of the first user's, or of the group's.
    private void Prepare(bool shared)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "acting as two users takes Linux, root and setpriv");
        Own(_folder, 0, "755");
        Directory.CreateDirectory(Store);
        Own(Store, shared ? 0 : First, shared ? "2775" : "755");
        foreach (var user in (int[])[First, Second])
        {
            var home = Directory.CreateDirectory(Path.Combine(_folder, $"u{user}")).FullName;
            File.WriteAllText(Path.Combine(home, "p.yaml"), Corpus);
            Own(home, user, "755");
        }
    }

    private Task<(int Code, string Out, string Error)> AsAsync(int user, params string[] arguments) => SstiProcess.RunAsAsync(
        user, Group, "022", Path.Combine(_folder, $"u{user}"), arguments, ("SSTI_STORE", Store), ("HF_HUB_OFFLINE", "1"), ("SSTI_LIBTORCH", ""));

    private static void Own(string path, int user, string mode)
    {
        Assert.Equal(0, chown(path, user, Group));
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
    }

    [DllImport("libc", CharSet = CharSet.Ansi)]
    private static extern int chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int user, int group);
}
