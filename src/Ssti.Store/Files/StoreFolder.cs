namespace Ssti.Store.Files;

/// <summary>Makes the folder of a store, keeps git away from it, and lets those who may write in it write in all that is made in it.</summary>
/// <remarks>
/// A folder that several people share is made so by whoever makes it: <c>chgrp team store; chmod 2775 store</c>. With a usual umask each would then make
/// subfolders that the others cannot write in. As git does with <c>core.sharedRepository</c>, what is made in a store takes the mode of the store's folder:
/// what the group may do there, it may do in all of it. The kernel hands the group on (setgid); the umask of this process is what stood in the way.
/// </remarks>
public static class StoreFolder
{
    private const string IgnoreFile = ".gitignore";
    private const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The folders of a store, in which its files are.</summary>
    private static readonly string[] Parts = ["cas", "ac", "tmp", "runs", "history", "work", "locks", "quarantine"];

    /// <summary>Makes the folder unless it is there; from here on this process shares what it makes, if the folder is shared.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public static void Make(string root)
    {
        var folder = new DirectoryInfo(root);
        if (!folder.Exists)
        {
            // In a folder of a group's, a new store is the group's too.
            var parent = folder.Parent;
            while (parent is { Exists: false }) parent = parent.Parent;
            if (parent is not null && Mode(parent.FullName).HasFlag(UnixFileMode.SetGroup)) Share(parent.FullName);
            folder.Create();
        }

        Share(root);
        Ignore(root);
    }

    /// <summary>Makes something small in the store, such as a lock for reading, without changing what this process makes elsewhere.</summary>
    public static T Briefly<T>(string root, Func<T> make)
    {
        if (OperatingSystem.IsWindows()) return make();
        var before = Native.umask(0);
        _ = Native.umask(before);
        try
        {
            Make(root);
            return make();
        }
        finally
        {
            _ = Native.umask(before);
        }
    }

    /// <summary>
    /// Tries to write in a store: makes a file in each of its folders, and removes it. Null when that works in all that are there, else what the file system said.
    /// </summary>
    public static Exception? TryWrite(string root)
    {
        // What was made first may be another's, with another mode, than what was made last.
        var folders = Parts.Select(part => Path.Combine(root, part)).Where(Directory.Exists).Prepend(root);
        return folders.Select(TryWriteIn).FirstOrDefault(refused => refused is not null);
    }

    /// <summary>Tries to write in a folder: makes a file, and removes it. Null when that works, else what the file system said.</summary>
    public static Exception? TryWriteIn(string folder)
    {
        try
        {
            using var probe = new FileStream(Path.Combine(folder, $".ssti-probe-{Guid.NewGuid():n}"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose, BufferSize = 0,
            });
            probe.WriteByte(1);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    /// <summary>Whether a folder is one that a group shares.</summary>
    public static bool IsShared(string folder) => Mode(folder).HasFlag(UnixFileMode.GroupWrite);

    private static void Share(string folder)
    {
        var mode = Mode(folder);
        var open = (mode.HasFlag(UnixFileMode.GroupWrite) ? mode & Group : 0) | (mode.HasFlag(UnixFileMode.OtherWrite) ? mode & Others : 0);
        if (open == 0) return;
        // It can be asked for only by setting it.
        var before = Native.umask(0);
        _ = Native.umask(before & ~(uint)open);
    }

    private static UnixFileMode Mode(string folder) => OperatingSystem.IsWindows() ? 0 : File.GetUnixFileMode(folder);

    // A folder that holds something else, a project's own, is not the store's to hide.
    private static void Ignore(string root)
    {
        if (Directory.EnumerateFileSystemEntries(root).Any()) return;
        try
        {
            using var file = new FileStream(Path.Combine(root, IgnoreFile), FileMode.CreateNew, FileAccess.Write);
            file.Write("# A store of results: not for git.\n*\n"u8);
        }
        catch (IOException) when (File.Exists(Path.Combine(root, IgnoreFile)))
        {
            // Another process made the store at the same time.
        }
    }
}
