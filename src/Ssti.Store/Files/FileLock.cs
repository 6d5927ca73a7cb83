using System.Text;

namespace Ssti.Store.Files;

/// <summary>
/// A lock held by the kernel on a file (flock on Unix, a share mode on Windows): whoever dies lets go of it, and nothing is ever left locked.
/// </summary>
/// <remarks>The file itself is removed by its last holder. Locks exclude handles, so two tasks of one process exclude each other as well.</remarks>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(25);
    private readonly FileStream _file;
    private readonly bool _delete;

    private FileLock(FileStream file, bool delete) => (_file, _delete) = (file, delete);

    /// <summary>Takes the lock, or returns null when another holds it.</summary>
    public static FileLock? TryTake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, 0);
        }
        catch (Exception e) when (IsHeld(e))
        {
            return null;
        }

        var taken = false;
        try
        {
            // Otherwise the last holder removed the file between our opening and locking it: what we hold has no name, so it excludes nobody.
            taken = IsStillNamed(file, path);
            return taken ? new FileLock(file, delete: true) : null;
        }
        finally
        {
            // Also when a full disk did not take the token: a lock that nobody knows of would be waited for until the collector finds it.
            if (!taken) file.Dispose();
        }
    }

    /// <summary>Waits for the lock.</summary>
    /// <param name="path">The lock's file.</param>
    /// <param name="waiting">Called once if there is need to wait.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public static async Task<FileLock> TakeAsync(string path, Action? waiting, CancellationToken cancellation)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (TryTake(path) is { } taken) return taken;
            if (attempt == 1) waiting?.Invoke();
            await Task.Delay(attempt == 0 ? TimeSpan.FromMilliseconds(1) : Poll, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Takes a lock that many may hold together, but not beside an exclusive one; null when an exclusive one is held.</summary>
    public static FileLock? TryTakeShared(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            if (!File.Exists(path)) File.Open(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
            return new FileLock(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0), delete: false);
        }
        catch (Exception e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Takes alone a lock that others take shared; null when anyone holds it. The file stays.</summary>
    public static FileLock? TryTakeAlone(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0), delete: false);
        }
        catch (Exception e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // While the lock is held: afterwards the file may be another's.
        if (_delete) File.Delete(_file.Name);
        _file.Dispose();
    }

    private static bool IsStillNamed(FileStream file, string path)
    {
        if (OperatingSystem.IsWindows()) return true;
        var token = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("n"));
        file.SetLength(0);
        file.Write(token);
        return Native.ReadUnlocked(path) is { } read && read.AsSpan().SequenceEqual(token);
    }

    // .NET reports a lock of another as a plain IOException with EWOULDBLOCK (11, 35 on macOS) or ERROR_SHARING_VIOLATION (32).
    private static bool IsHeld(Exception e) =>
        e is IOException and not FileNotFoundException and not DirectoryNotFoundException && (e.HResult & 0xffff) is 11 or 35 or 32
        || (e is UnauthorizedAccessException && OperatingSystem.IsWindows());
}
