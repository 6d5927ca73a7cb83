using Amazon.S3.Model;
using Microsoft.Win32.SafeHandles;
using Ssti.Store.Files;

namespace Ssti.Store.S3;

/// <summary>Carries blobs between files and a bucket: in one request where they are small, in parallel parts where they are large.</summary>
internal sealed class BlobTransfer(S3Bucket bucket)
{
    // The first failure may have been the network's; the second is the object's own.
    private const int Tries = 2;
    private const int MostParts = 10_000;
    private static readonly TimeSpan AbortLimit = TimeSpan.FromSeconds(30);
    private static readonly Digest Empty = Digest.Of([]);

    public static string KeyOf(Digest blob)
    {
        var name = blob.ToString();
        return $"cas/{name[..2]}/{name}";
    }

    /// <summary>Fetches a blob into a new file, and checks its content.</summary>
    /// <returns>False where there is no such blob.</returns>
    /// <exception cref="StoreException">The object under the blob's name is not the blob.</exception>
    public async Task<bool> DownloadAsync(Digest blob, string path, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous))
            {
                if (!await FillAsync(blob, file, cancellation).ConfigureAwait(false)) return false;
                RandomAccess.FlushToDisk(file);
            }

            var found = await Task.Run(() => FileHash.Of(path), cancellation).ConfigureAwait(false);
            if (found.Digest == blob) return true;
            if (attempt == Tries) throw Damaged(blob, found);
        }
    }

    /// <summary>The digest of the object under a blob's name, read into a new file; null where there is none.</summary>
    public async Task<Digest?> HashAsync(Digest blob, string path, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous))
            {
                if (!await FillAsync(blob, file, cancellation).ConfigureAwait(false)) return null;
            }

            var found = await Task.Run(() => FileHash.Of(path), cancellation).ConfigureAwait(false);
            if (found.Digest == blob || attempt == Tries) return found.Digest;
        }
    }

    /// <summary>Uploads a blob unless it is there already, and makes sure that it then is, in its full size.</summary>
    /// <param name="blob">The blob: the content of the file.</param>
    /// <param name="path">The file.</param>
    /// <param name="known">What is known to be there: its size, -1 for nothing; null to ask.</param>
    /// <param name="cancellation">Ends it; a blob that was not taken in whole is not there.</param>
    public async Task UploadAsync(BlobInfo blob, string path, long? known, CancellationToken cancellation)
    {
        var key = KeyOf(blob.Digest);
        var there = known ?? await bucket.SizeAsync(key, cancellation).ConfigureAwait(false);
        if (there == blob.Size) return;
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        for (var attempt = 1; ; attempt++)
        {
            if (blob.Size <= bucket.Options.PartSize)
                await bucket.PutAsync(key, touch => new FileRange(file, 0, blob.Size, touch), null, onlyIfAbsent: false, cancellation).ConfigureAwait(false);
            else
                await UploadPartsAsync(key, blob.Size, file, cancellation).ConfigureAwait(false);
            there = await bucket.SizeAsync(key, cancellation).ConfigureAwait(false);
            if (there == blob.Size) return;
            await bucket.DeleteAsync(key, cancellation).ConfigureAwait(false);
            if (attempt < Tries) continue;
            var arrived = there < 0 ? "nothing" : $"{there} bytes";
            throw new StoreException(
                $"the server took the {blob.Size} bytes of the blob {blob.Digest}, but {arrived} of it arrived in {bucket.Options.Url}; "
                + "it was deleted there; check what stands between here and the server");
        }
    }

    private async Task<bool> FillAsync(Digest blob, SafeFileHandle file, CancellationToken cancellation)
    {
        var key = KeyOf(blob);
        // A range of an empty object cannot be asked for.
        if (blob == Empty) return await bucket.SizeAsync(key, cancellation).ConfigureAwait(false) >= 0;
        var part = bucket.Options.PartSize;
        var size = await bucket.ReadAsync(key, new RangeSink(file, 0, part), cancellation).ConfigureAwait(false);
        if (size <= part) return size >= 0;
        RandomAccess.SetLength(file, size);
        var rest = (int)((size - 1) / part);
        await Parallel.ForEachAsync(Enumerable.Range(1, rest), Options(cancellation), async (i, token) =>
        {
            var start = i * part;
            if (await bucket.ReadAsync(key, new RangeSink(file, start, Math.Min(part, size - start)), token).ConfigureAwait(false) != size)
                throw new StoreException($"the blob {blob} in {bucket.Options.Url} was deleted while it was being read");
        }).ConfigureAwait(false);
        return true;
    }

    private async Task UploadPartsAsync(string key, long size, SafeFileHandle file, CancellationToken cancellation)
    {
        var part = Math.Max(bucket.Options.PartSize, ((size - 1) / MostParts) + 1);
        var parts = new PartETag[((size - 1) / part) + 1];
        var upload = await bucket.BeginAsync(key, cancellation).ConfigureAwait(false);
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, parts.Length), Options(cancellation), async (i, token) =>
            {
                var start = i * part;
                var length = Math.Min(part, size - start);
                parts[i] = await bucket.PutPartAsync(key, upload, i + 1, touch => new FileRange(file, start, length, touch), token).ConfigureAwait(false);
            }).ConfigureAwait(false);
            await bucket.CompleteAsync(key, upload, parts, size, cancellation).ConfigureAwait(false);
        }
        catch
        {
            await AbortAsync(key, upload).ConfigureAwait(false);
            throw;
        }
    }

    // What is not aborted is never served, but fills the bucket: see S3Store.StaleUploadsAsync.
    private async Task AbortAsync(string key, string upload)
    {
        using var limit = new CancellationTokenSource(AbortLimit);
        try
        {
            await bucket.AbortAsync(key, upload, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // The failure that led here is the one to tell.
        }
    }

    private ParallelOptions Options(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = bucket.Options.Concurrency, CancellationToken = cancellation };

    private StoreException Damaged(Digest blob, BlobInfo found) => new(
        $"the blob {blob} in {bucket.Options.Url} is damaged: its {found.Size} bytes have the digest {found.Digest}; "
        + $"run 'ssti verify', or delete {KeyOf(blob)} and run again to rebuild it");
}
