using Ssti.Store.Files;

namespace Ssti.Store.S3;

/// <summary>
/// Blobs on the local disk, in front of a store that is elsewhere. Laid out as a file store; several processes may share it.
/// </summary>
/// <remarks>
/// A blob's time of last change is when it was last used, for want of a better clock: access times are commonly turned off.
/// Deleting a file that another process reads is no harm where a file lives on without its name (everywhere but on Windows, where it fails).
/// </remarks>
internal sealed class BlobCache(string root, long bound, TimeSpan grace, TimeProvider time)
{
    // Deleting a tenth at a time, so that a full cache is not looked through for every blob.
    private const double Fill = 0.9;
    private static readonly TimeSpan LongestWrite = TimeSpan.FromDays(2);
    private readonly Lock _lock = new();
    private long? _held;

    /// <summary>The blobs.</summary>
    public FileStore Files { get; } = new(root);

    /// <summary>The path of a blob that is here, which counts as used now; null when it is not.</summary>
    public string? Find(Digest blob)
    {
        var path = Files.PathOf(blob);
        return Touch(path) ? path : null;
    }

    /// <summary>The path of a blob, brought here by <paramref name="fetch"/> if need be: once, whoever asks at the same time.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="fetch">Writes the blob, checked, to the path given; false where there is none.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Null where there is no such blob.</returns>
    public async Task<string?> FindOrFetchAsync(Digest blob, Func<string, Task<bool>> fetch, CancellationToken cancellation)
    {
        if (Find(blob) is { } here) return here;
        var path = Files.PathOf(blob);
        try
        {
            long size;
            using (await FileLock.TakeAsync(Path.Combine(Files.Location, "locks", blob.ToString()), null, cancellation).ConfigureAwait(false))
            {
                if (Find(blob) is { } meanwhile) return meanwhile;
                var temporary = Path.Combine(Directory.CreateDirectory(Path.Combine(Files.Location, "tmp")).FullName, Guid.NewGuid().ToString("n"));
                try
                {
                    if (!await fetch(temporary).ConfigureAwait(false)) return null;
                    size = new FileInfo(temporary).Length;
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    File.SetAttributes(temporary, FileAttributes.ReadOnly);
                    File.Move(temporary, path, overwrite: !OperatingSystem.IsWindows());
                }
                finally
                {
                    Delete(temporary);
                }
            }

            Added(size);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e);
        }
    }

    /// <summary>Lends the name of a file that is not there yet, beside the blobs, and deletes the file afterwards.</summary>
    public async Task<T> AsideAsync<T>(Func<string, Task<T>> use)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(Files.Location, "tmp")).FullName, Guid.NewGuid().ToString("n"));
        try
        {
            return await use(path).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e);
        }
        finally
        {
            Delete(path);
        }
    }

    /// <summary>Takes a stream in, checked against a digest where one is given.</summary>
    public async Task<BlobInfo> PutAsync(Digest? expected, Stream content, CancellationToken cancellation)
    {
        BlobInfo info;
        if (expected is { } digest)
        {
            await Files.PutAsync(digest, content, cancellation).ConfigureAwait(false);
            info = new BlobInfo(digest, new FileInfo(Files.PathOf(digest)).Length);
        }
        else
        {
            info = await Files.PutAsync(content, cancellation).ConfigureAwait(false);
        }

        return info;
    }

    /// <summary>Takes a folder's files in.</summary>
    public async Task<Tree> IngestAsync(string folder, CancellationToken cancellation)
    {
        var tree = await Files.IngestAsync(folder, cancellation).ConfigureAwait(false);
        // Files keep the time they were written at, which may be long ago.
        foreach (var file in tree.Files) Touch(Files.PathOf(file.Digest));
        return tree;
    }

    /// <summary>Drops a blob.</summary>
    public Task DropAsync(Digest blob) => Files.DeleteBlobAsync(blob);

    /// <summary>Notes that bytes were added, and makes room if they are too many.</summary>
    public void Added(long bytes)
    {
        lock (_lock)
        {
            _held = _held is { } held ? held + bytes : All().Sum(f => f.Length);
            if (_held > bound) _held = Trim();
        }
    }

    // Least recently used first; what is in use stays, and so does everything while another process is at it.
    private long Trim()
    {
        try
        {
            using var trimming = FileLock.TryTake(Path.Combine(Files.Location, "locks", "trim"));
            var blobs = All();
            var held = blobs.Sum(f => f.Length);
            if (trimming is null) return held;
            DropLeftovers();
            var recent = time.GetUtcNow().UtcDateTime - grace;
            foreach (var blob in blobs.OrderBy(f => f.LastWriteTimeUtc))
            {
                if (held <= bound * Fill || blob.LastWriteTimeUtc >= recent) break;
                if (Delete(blob.FullName)) held -= blob.Length;
            }

            return held;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e);
        }
    }

    private List<FileInfo> All()
    {
        var folder = new DirectoryInfo(Path.Combine(Files.Location, "cas"));
        return folder.Exists ? folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => f.Exists).ToList() : [];
    }

    // What killed processes were writing.
    private void DropLeftovers()
    {
        var folder = new DirectoryInfo(Path.Combine(Files.Location, "tmp"));
        if (!folder.Exists) return;
        foreach (var file in folder.EnumerateFiles().Where(f => f.LastWriteTimeUtc < time.GetUtcNow().UtcDateTime - LongestWrite)) Delete(file.FullName);
    }

    private bool Touch(string path)
    {
        try
        {
            if (!File.Exists(path)) return false;
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            // A cache of another user, or a read-only file on Windows: good to read, and only seemingly unused.
            return true;
        }
    }

    private static bool Delete(string path)
    {
        try
        {
            if (!File.Exists(path)) return false;
            if (OperatingSystem.IsWindows()) File.SetAttributes(path, FileAttributes.Normal);
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Open in another process.
            return false;
        }
    }

    private StoreException Explain(Exception error) => new(
        $"the cache {Files.Location} in front of the S3 store cannot be used: {error.Message}; "
        + "make room and make it writable, or name another folder in S3__Cache",
        error);
}
