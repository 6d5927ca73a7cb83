using System.Buffers;
using System.Security.Cryptography;

namespace Ssti.Store.Files;

/// <summary>Hashes files at the speed of the processor's SHA-256: large reads, no copies.</summary>
public static class FileHash
{
    private const int BufferSize = 256 * 1024;

    /// <summary>The digest and size of a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is no file but a pipe, a socket or a device, which is not waited for.</exception>
    public static BlobInfo Of(string path)
    {
        if (Native.IsSpecial(path)) throw new IOException($"'{path}' is a pipe, a socket or a device, not a file: write what comes out of it to a file first");
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(handle);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(length, 1, BufferSize));
        try
        {
            Span<byte> hash = stackalloc byte[Digest.Size];
            var read = RandomAccess.Read(handle, buffer, 0);
            if (read == length && length < buffer.Length)
            {
                // One small file in one call: no incremental state to set up.
                SHA256.HashData(buffer.AsSpan(0, read), hash);
                return new BlobInfo(Digest.FromHash(hash), read);
            }

            using var incremental = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var total = 0L;
            while (read > 0)
            {
                incremental.AppendData(buffer, 0, read);
                total += read;
                read = RandomAccess.Read(handle, buffer, total);
            }

            incremental.GetHashAndReset(hash);
            return new BlobInfo(Digest.FromHash(hash), total);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The tree that a folder would be, its files hashed in parallel and left where they are. Links are followed.</summary>
    /// <exception cref="IOException">Something cannot be read, or a link leads back to a folder it lies in.</exception>
    public static Tree TreeOf(string folder, CancellationToken cancellation = default)
    {
        var files = FolderWalk.Entries(folder).OfType<FileInfo>().Select(f => f.FullName).ToList();
        var root = Path.GetFullPath(folder);
        var entries = new TreeFile[files.Count];
        Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var info = Of(files[i]);
            entries[i] = new TreeFile(Path.GetRelativePath(root, files[i]).Replace('\\', '/'), info.Digest, info.Size);
        });
        return Tree.Of(entries);
    }

    /// <summary>Copies a stream while hashing it.</summary>
    internal static async Task<BlobInfo> CopyAsync(Stream from, Stream to, CancellationToken cancellation)
    {
        using var incremental = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var total = 0L;
            int read;
            while ((read = await from.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            {
                incremental.AppendData(buffer, 0, read);
                await to.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                total += read;
            }

            return new BlobInfo(Digest.FromHash(incremental.GetHashAndReset()), total);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
