using System.Runtime.InteropServices;

namespace Ssti.Store.Files;

/// <summary>What .NET does not have: flushing a folder or a whole file system, reading a file that is locked, and the mode of what is made.</summary>
internal static partial class Native
{
    private const int ReadOnly = 0, SmallFile = 8192;

    [ThreadStatic]
    private static byte[]? t_buffer;

    /// <summary>Makes renames in a folder durable. Elsewhere than on Unix the file system does so by itself.</summary>
    public static void FlushFolder(string folder) => WithFolder(folder, fsync);

    /// <summary>Makes everything written so far on the folder's file system durable; false where there is no such call.</summary>
    public static bool FlushFileSystem(string folder) => OperatingSystem.IsLinux() && WithFolder(folder, syncfs);

    /// <summary>
    /// A small file, or null when it cannot be read in one piece: without the shared lock that .NET takes on all it opens, which a locked file refuses and
    /// which costs as many calls again. Always null on Windows.
    /// </summary>
    public static byte[]? ReadUnlocked(string path)
    {
        if (OperatingSystem.IsWindows()) return null;
        var descriptor = open(path, ReadOnly);
        if (descriptor < 0) return null;
        try
        {
            t_buffer ??= new byte[SmallFile];
            var got = read(descriptor, ref t_buffer[0], SmallFile);
            return got is < 0 or SmallFile ? null : t_buffer[..(int)got];
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>The path with all links on it followed; null when there is nothing. On Windows only a link at the end is followed.</summary>
    public static string? RealPath(string path)
    {
        if (OperatingSystem.IsWindows())
            return !Path.Exists(path) ? null : (Directory.Exists(path) ? Directory.ResolveLinkTarget(path, true) : File.ResolveLinkTarget(path, true))?.FullName ?? path;
        var resolved = realpath(path, 0);
        if (resolved == 0) return null;
        try
        {
            return Marshal.PtrToStringUTF8(resolved);
        }
        finally
        {
            free(resolved);
        }
    }

    /// <summary>
    /// Whether a path is a pipe, a socket or a device, links followed: what has no length and may never end. False where there is nothing, and where it
    /// cannot be told (elsewhere than on Linux, or with a C library older than statx).
    /// </summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        Span<byte> found = stackalloc byte[256];
        try
        {
            if (statx(CurrentFolder, path, 0, TypeOnly, ref found[0]) != 0) return false;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }

        // stx_mode lies at the same place on all processors: statx was made so.
        var type = MemoryMarshal.Read<ushort>(found[28..]) & 0xF000;
        return type is not (RegularFile or Folder);
    }

    private static bool WithFolder(string folder, Func<int, int> call)
    {
        if (OperatingSystem.IsWindows()) return false;
        var descriptor = open(folder, ReadOnly);
        if (descriptor < 0) return false;
        try
        {
            return call(descriptor) == 0;
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Sets what new files and folders of this process are not allowed; returns what was set before. Not on Windows.</summary>
    [LibraryImport("libc")]
    internal static partial uint umask(uint mask);
    private const int CurrentFolder = -100, TypeOnly = 1, RegularFile = 0x8000, Folder = 0x4000;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int statx(int folder, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, ref byte buffer, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint realpath(string path, nint buffer);

    [LibraryImport("libc")]
    private static partial void free(nint pointer);
}
