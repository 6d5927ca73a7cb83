using System.Runtime.InteropServices;
using Ssti.Store.Files;

namespace Ssti.Store.Tests;

/// <summary>What a store's folder says of who may write in it holds for all that is made in it.</summary>
public sealed class StoreFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-folder-").FullName;

    private readonly uint _umask = OperatingSystem.IsWindows() ? 0 : umask(Convert.ToUInt32("022", 8));

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows()) _ = umask(_umask);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_new_store_is_ignored_by_git_and_an_old_one_or_another_folder_is_left_alone()
    {
        var made = Path.Combine(_folder, "made");
        await new FileStore(made).PutAsync(new MemoryStream("x"u8.ToArray()));
        Assert.EndsWith("*\n", File.ReadAllText(Path.Combine(made, ".gitignore")));

        // Made by an administrator, empty: as new.
        var empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        using (new Workspace(empty).TryUse()) Assert.True(File.Exists(Path.Combine(empty, ".gitignore")));

        var full = Directory.CreateDirectory(Path.Combine(_folder, "full")).FullName;
        File.WriteAllText(Path.Combine(full, "README.md"), "a project");
        await new FileStore(full).PutAsync(new MemoryStream("x"u8.ToArray()));
        Assert.False(File.Exists(Path.Combine(full, ".gitignore")));
    }

    [SkippableTheory]
    [InlineData("2775", "2775", "664")]
    [InlineData("2770", "2775", "664")]
    [InlineData("0775", "0775", "664")]
    [InlineData("0777", "0777", "666")]
    public async Task Folders_and_files_take_the_mode_of_a_folder_that_others_may_write_in(string root, string folders, string files)
    {
        Skip.If(OperatingSystem.IsWindows(), "modes are Unix's");
        if (OperatingSystem.IsWindows()) return;
        // What a user's shell would have set. It belongs to the whole process, so it is set back at the end.
        umask(Convert.ToUInt32("022", 8));
        var store = Directory.CreateDirectory(Path.Combine(_folder, root)).FullName;
        File.SetUnixFileMode(store, Mode(root));
        var own = new FileStore(store);
        var blob = await own.PutAsync(new MemoryStream("x"u8.ToArray()));
        var workspace = new Workspace(store);
        var (output, scratch) = workspace.Prepare(blob.Digest);
        Directory.CreateDirectory(Path.Combine(output, "deep"));
        File.WriteAllText(Path.Combine(output, "deep", "file"), "");
        foreach (var folder in (string[])[Path.Combine(store, "cas"), Path.GetDirectoryName(own.PathOf(blob.Digest))!, output, scratch, Path.Combine(output, "deep")])
            Assert.Equal(Mode(folders), File.GetUnixFileMode(folder));
        Assert.Equal(Mode(files), File.GetUnixFileMode(Path.Combine(output, "deep", "file")));
        Assert.Equal(Mode("444"), File.GetUnixFileMode(own.PathOf(blob.Digest)));
    }

    [Fact]
    public void Whether_it_can_be_written_is_tried_and_leaves_nothing()
    {
        var store = Directory.CreateDirectory(Path.Combine(_folder, "tried", "cas")).Parent!.FullName;
        Assert.Null(StoreFolder.TryWrite(store));
        Assert.Empty(Directory.GetFiles(store, "*", SearchOption.AllDirectories));
        Assert.NotNull(StoreFolder.TryWrite(Path.Combine(store, "absent")));
    }

    [DllImport("libc")]
    private static extern uint umask(uint mask);

    private static UnixFileMode Mode(string octal) => (UnixFileMode)Convert.ToInt32(octal, 8);
}
