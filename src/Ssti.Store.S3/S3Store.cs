using System.Runtime.CompilerServices;

namespace Ssti.Store.S3;

/// <summary>
/// A store in a bucket of any S3 server, with the layout of a file store: <c>cas/ab/&lt;sha256&gt;</c> and <c>ac/&lt;key&gt;/&lt;tree&gt;.json</c>
/// under an optional prefix; and a cache on the local disk in front of it.
/// </summary>
/// <remarks>
/// Content is checked against its digest on its way into the cache, and only served from there: what was damaged on the server or on the way is an
/// error, never a result. Blobs larger than a part travel in parallel parts. Only plain verbs are used (HEAD, GET with a range, PUT, DELETE, list,
/// multipart), of which a conditional PUT for records is the newest, and may be missing.
/// </remarks>
public sealed class S3Store : IArtifactStore, IDisposable
{
    private readonly S3Bucket _bucket;
    private readonly BlobCache _cache;
    private readonly BlobTransfer _transfer;
    private readonly ObjectSearch _search;
    private readonly RecordShelf _records;

    /// <summary>Opens a store. Nothing is asked of the server before the first use.</summary>
    /// <param name="options">Where it is.</param>
    public S3Store(S3Options options)
        : this(options, TimeProvider.System, Random.Shared.NextDouble)
    {
    }

    internal S3Store(S3Options options, TimeProvider time, Func<double> jitter)
    {
        _bucket = new S3Bucket(options, time, jitter);
        _cache = new BlobCache(options.Cache, options.CacheBytes, options.CacheGrace, time);
        _transfer = new BlobTransfer(_bucket);
        _search = new ObjectSearch(_bucket);
        _records = new RecordShelf(_bucket, _search);
    }

    /// <inheritdoc/>
    public string Location => _bucket.Options.Url;

    /// <inheritdoc/>
    public bool IsElsewhere => true;

    /// <inheritdoc/>
    public async Task<long[]> SizesAsync(IReadOnlyList<Digest> blobs, CancellationToken cancellation = default)
    {
        if (blobs.Count == 0) return [];
        var sizes = await _search.SizesAsync(blobs, cancellation).ConfigureAwait(false);
        return blobs.Select(blob => sizes[blob]).ToArray();
    }

    /// <inheritdoc/>
    public Task<BlobInfo> PutAsync(Stream content, CancellationToken cancellation = default) => PutAsync(null, content, cancellation);

    /// <inheritdoc/>
    public async Task PutAsync(Digest blob, Stream content, CancellationToken cancellation = default) =>
        await PutAsync((Digest?)blob, content, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<Stream> OpenReadAsync(Digest blob, CancellationToken cancellation = default)
    {
        while (true)
        {
            var path = await LocalPathAsync(blob, cancellation).ConfigureAwait(false);
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 * 1024, useAsync: false);
            }
            catch (FileNotFoundException)
            {
                // A cache too small for its users dropped it in between.
            }
        }
    }

    /// <inheritdoc/>
    public async Task<string> LocalPathAsync(Digest blob, CancellationToken cancellation = default) =>
        await _cache.FindOrFetchAsync(blob, path => _transfer.DownloadAsync(blob, path, cancellation), cancellation).ConfigureAwait(false)
        ?? throw new StoreException($"the blob {blob} is not in the store {Location}; run again to rebuild it");

    /// <inheritdoc/>
    public async Task<Tree> IngestAsync(string folder, CancellationToken cancellation = default)
    {
        var tree = await _cache.IngestAsync(folder, cancellation).ConfigureAwait(false);
        var blobs = tree.Files.Select(f => new BlobInfo(f.Digest, f.Size)).Distinct().ToList();
        var sizes = await SizesAsync(blobs.ConvertAll(b => b.Digest), cancellation).ConfigureAwait(false);
        // A large blob is parallel in itself; the bucket bounds the requests of all of them together.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _bucket.Options.Concurrency, CancellationToken = cancellation };
        await Parallel.ForEachAsync(blobs.Zip(sizes), parallel, async (item, token) =>
        {
            var (blob, there) = item;
            await _transfer.UploadAsync(blob, _cache.Files.PathOf(blob.Digest), there, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        var list = new BlobInfo(tree.Digest, tree.Json.Length);
        await _transfer.UploadAsync(list, _cache.Files.PathOf(tree.Digest), null, cancellation).ConfigureAwait(false);
        _cache.Added(blobs.Sum(b => b.Size) + list.Size);
        return tree;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ActionRecord>[]> RecordsAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default) =>
        keys.Count == 0 ? [] : await _records.RecordsAsync(keys, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RecordSummary>[]> SummariesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default) =>
        keys.Count == 0 ? [] : await _records.SummariesAsync(keys, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<RecordOutcome> PutRecordAsync(ActionRecord record, CancellationToken cancellation = default) => _records.PutAsync(record, cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RecordSignature>[]> SignaturesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default) =>
        keys.Count == 0 ? [] : await _records.SignaturesAsync(keys, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task PutSignatureAsync(RecordSignature signature, CancellationToken cancellation = default) => _records.PutSignatureAsync(signature, cancellation);

    /// <inheritdoc/>
    /// <remarks>Puts the empty blob: whether it may is known only by trying, and the name of that content is right whatever else is there.</remarks>
    public async Task RequireWritableAsync(CancellationToken cancellation = default) =>
        await _bucket.PutAsync(BlobTransfer.KeyOf(Digest.Of([])), _ => new MemoryStream(), null, onlyIfAbsent: false, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task DeleteRecordAsync(Digest key, Digest tree, CancellationToken cancellation = default) => _records.DeleteAsync(key, tree, cancellation);

    /// <inheritdoc/>
    public async Task DeleteBlobAsync(Digest blob, CancellationToken cancellation = default)
    {
        await _bucket.DeleteAsync(BlobTransfer.KeyOf(blob), cancellation).ConfigureAwait(false);
        await _cache.DropAsync(blob).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Digest?> RehashAsync(Digest blob, CancellationToken cancellation = default)
    {
        // The copy here is checked on the way: it can be dropped without loss.
        if (File.Exists(_cache.Files.PathOf(blob)) && await _cache.Files.RehashAsync(blob, cancellation).ConfigureAwait(false) != blob)
            await _cache.DropAsync(blob).ConfigureAwait(false);
        return await _cache.AsideAsync(path => _transfer.HashAsync(blob, path, cancellation)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredBlob> BlobsAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        string? next = null;
        do
        {
            var page = await _bucket.ListAsync("cas/", null, next, null, cancellation).ConfigureAwait(false);
            foreach (var entry in page.Entries)
            {
                var name = entry.Key[(entry.Key.LastIndexOf('/') + 1)..];
                if (Digest.TryParse(name, out var digest) && entry.Key == BlobTransfer.KeyOf(digest)) yield return new StoredBlob(digest, entry.Size, entry.Modified);
            }

            next = page.Next;
        }
        while (next is not null);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Digest> KeysAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        string? next = null;
        do
        {
            var page = await _bucket.ListAsync("ac/", null, next, "/", cancellation).ConfigureAwait(false);
            foreach (var folder in page.Folders)
            {
                if (Digest.TryParse(folder["ac/".Length..].TrimEnd('/'), out var digest)) yield return digest;
            }

            next = page.Next;
        }
        while (next is not null);
    }

    /// <inheritdoc/>
    public async Task<int> StaleUploadsAsync(DateTimeOffset begunBefore, bool remove, CancellationToken cancellation = default)
    {
        // A process killed in the middle of one cannot throw it away itself.
        var uploads = await _bucket.UploadsAsync(cancellation).ConfigureAwait(false);
        var stale = uploads.Where(u => u.Begun < begunBefore).ToList();
        foreach (var upload in remove ? stale : []) await _bucket.AbortAsync(upload.Key, upload.Upload, cancellation).ConfigureAwait(false);
        return stale.Count;
    }

    /// <summary>Closes the connections. The cache stays.</summary>
    public void Dispose() => _bucket.Dispose();

    private async Task<BlobInfo> PutAsync(Digest? expected, Stream content, CancellationToken cancellation)
    {
        var info = await _cache.PutAsync(expected, content, cancellation).ConfigureAwait(false);
        await _transfer.UploadAsync(info, _cache.Files.PathOf(info.Digest), null, cancellation).ConfigureAwait(false);
        _cache.Added(info.Size);
        return info;
    }
}
