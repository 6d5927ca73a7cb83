using System.Runtime.CompilerServices;

namespace Ssti.Store.Files;

/// <summary>
/// A store in a folder: <c>cas/ab/&lt;sha256&gt;</c> for blobs, <c>ac/&lt;key&gt;/&lt;tree&gt;.json</c> for records, <c>tmp/</c> for what is being written.
/// </summary>
/// <remarks>
/// Every file is written aside, flushed to the disk and renamed, so that a name in the store never holds half a content, whatever is killed when.
/// Nothing is created before the first write: a store can be read on a read-only disk.
/// </remarks>
public sealed class FileStore : IArtifactStore
{
    private const int ParallelFrom = 64;
    private readonly string _cas, _actions, _temporary;
    private readonly BlobFolder _blobs;
    private readonly RecordFolder _records;
    private bool _prepared;

    /// <summary>Opens a store; the folder need not exist yet.</summary>
    public FileStore(string root)
    {
        Location = Path.GetFullPath(root);
        _cas = Path.Combine(Location, "cas");
        _blobs = new BlobFolder(_cas);
        _actions = Path.Combine(Location, "ac");
        _temporary = Path.Combine(Location, "tmp");
        _records = new RecordFolder(_actions);
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public bool IsElsewhere => false;

    /// <summary>Where a blob lies, whether it is there or not.</summary>
    public string PathOf(Digest blob) => _blobs.PathOf(blob);

    /// <inheritdoc/>
    public Task<long[]> SizesAsync(IReadOnlyList<Digest> blobs, CancellationToken cancellation = default)
    {
        var sizes = new long[blobs.Count];
        ForEach(blobs.Count, i => sizes[i] = _blobs.SizeOf(blobs[i]), cancellation);
        return Task.FromResult(sizes);
    }

    /// <inheritdoc/>
    public Task<BlobInfo> PutAsync(Stream content, CancellationToken cancellation = default) => PutAsync(null, content, cancellation);

    /// <inheritdoc/>
    public async Task PutAsync(Digest blob, Stream content, CancellationToken cancellation = default) =>
        await PutAsync((Digest?)blob, content, cancellation).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<Stream> OpenReadAsync(Digest blob, CancellationToken cancellation = default)
    {
        try
        {
            return Task.FromResult<Stream>(new FileStream(PathOf(blob), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 * 1024, useAsync: false));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(blob);
        }
    }

    /// <inheritdoc/>
    public Task<string> LocalPathAsync(Digest blob, CancellationToken cancellation = default)
    {
        var path = PathOf(blob);
        return File.Exists(path) ? Task.FromResult(path) : throw Missing(blob);
    }

    /// <inheritdoc/>
    public Task<Tree> IngestAsync(string folder, CancellationToken cancellation = default) => Task.Run(
        async () =>
        {
            Prepare();
            var tree = Guarded(() => new FolderIngestion(this, _temporary).Take(folder, cancellation));
            await this.PutTreeAsync(tree, cancellation).ConfigureAwait(false);
            return tree;
        },
        cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ActionRecord>[]> RecordsAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default)
    {
        var results = new IReadOnlyList<ActionRecord>[keys.Count];
        ForEach(keys.Count, i => results[i] = _records.Records(keys[i]), cancellation);
        return Task.FromResult(results);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RecordSummary>[]> SummariesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default)
    {
        var results = new IReadOnlyList<RecordSummary>[keys.Count];
        ForEach(keys.Count, i => results[i] = _records.Summaries(keys[i]), cancellation);
        return Task.FromResult(results);
    }

    /// <inheritdoc/>
    public Task<RecordOutcome> PutRecordAsync(ActionRecord record, CancellationToken cancellation = default) => Task.FromResult(Guarded(() =>
    {
        Prepare();
        var folder = _records.FolderOf(record.Key);
        Directory.CreateDirectory(folder);
        var others = _records.Summaries(record.Key).Where(s => s.Damage is null).ToList();
        if (others.FirstOrDefault() is { } newest && newest.Tree == record.Tree) return RecordOutcome.Same;
        var generation = others.Count == 0 ? 1 : others.Max(s => s.Generation) + 1;
        WriteAside(Path.Combine(folder, $"{record.Tree}.json"), (record with { Generation = generation }).ToJson());
        Native.FlushFolder(_actions);
        return others.Any(s => s.Tree != record.Tree) ? RecordOutcome.Differs : RecordOutcome.Added;
    }));

    /// <inheritdoc/>
    public Task<IReadOnlyList<RecordSignature>[]> SignaturesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default) =>
        Task.FromResult(keys.Select(key => (IReadOnlyList<RecordSignature>)_records.Signatures(key)).ToArray());

    /// <inheritdoc/>
    public Task PutSignatureAsync(RecordSignature signature, CancellationToken cancellation = default)
    {
        Guarded(() =>
        {
            Prepare();
            var folder = Directory.CreateDirectory(_records.FolderOf(signature.Key)).FullName;
            WriteAside(Path.Combine(folder, signature.FileName), signature.Content.ToArray());
            return 0;
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task DeleteRecordAsync(Digest key, Digest tree, CancellationToken cancellation = default)
    {
        Guarded(() =>
        {
            var folder = _records.FolderOf(key);
            if (!Directory.Exists(folder)) return 0;
            foreach (var file in _records.FilesOf(key, tree)) File.Delete(file);
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                // Another record is left in it.
            }

            return 0;
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task DeleteBlobAsync(Digest blob, CancellationToken cancellation = default)
    {
        Guarded(() =>
        {
            var path = PathOf(blob);
            if (File.Exists(path)) BlobFolder.Unlink(path);
            return 0;
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<string?> QuarantineAsync(Digest blob, CancellationToken cancellation = default) => Task.FromResult(Guarded(() =>
    {
        var path = PathOf(blob);
        if (!File.Exists(path)) return null;
        var folder = Path.Combine(Location, "quarantine");
        Directory.CreateDirectory(folder);
        var kept = Path.Combine(folder, $"{blob}-{Guid.NewGuid().ToString("n")[..8]}");
        File.Move(path, kept);
        return (string?)kept;
    }));

    /// <inheritdoc/>
    public Task<Digest?> RehashAsync(Digest blob, CancellationToken cancellation = default)
    {
        try
        {
            return Task.FromResult(_blobs.Rehash(blob));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StoreException($"the blob {blob} in {Location} may not be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredBlob> BlobsAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var blob in _blobs.All())
        {
            cancellation.ThrowIfCancellationRequested();
            yield return blob;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Digest> KeysAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (!Directory.Exists(_actions)) yield break;
        foreach (var folder in Directory.EnumerateDirectories(_actions))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Digest.TryParse(Path.GetFileName(folder), out var digest)) yield return digest;
        }
    }

    /// <inheritdoc cref="BlobFolder.Adopt"/>
    internal void Adopt(string file, Digest digest) => _blobs.Adopt(file, digest);

    private static void ForEach(int count, Action<int> action, CancellationToken cancellation)
    {
        if (count >= ParallelFrom) Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, action);
        else for (var i = 0; i < count; i++) action(i);
    }

    private async Task<BlobInfo> PutAsync(Digest? expected, Stream content, CancellationToken cancellation)
    {
        var temporary = Path.Combine(_temporary, Guid.NewGuid().ToString("n"));
        try
        {
            Prepare();
            BlobInfo info;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                info = await FileHash.CopyAsync(content, file, cancellation).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            if (expected is { } digest && digest != info.Digest)
                throw new StoreException($"content that should be {digest} is {info.Digest}: it was damaged on its way to {Location}");
            _blobs.Adopt(temporary, info.Digest);
            Native.FlushFolder(Path.GetDirectoryName(PathOf(info.Digest))!);
            return info;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Explain(Location, e);
        }
        finally
        {
            if (File.Exists(temporary)) BlobFolder.Unlink(temporary);
        }
    }

    private void WriteAside(string path, byte[] content)
    {
        var temporary = Path.Combine(_temporary, Guid.NewGuid().ToString("n"));
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            Native.FlushFolder(Path.GetDirectoryName(path)!);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    private void Prepare()
    {
        if (_prepared) return;
        Guarded(() =>
        {
            StoreFolder.Make(Location);
            foreach (var folder in (string[])[_cas, _actions, _temporary]) Directory.CreateDirectory(folder);
            Native.FlushFolder(Location);
            return 0;
        });
        _prepared = true;
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Explain(Location, e);
        }
    }

    private StoreException Missing(Digest blob) => new($"the blob {blob} is not in the store {Location}; run again to rebuild it");
}
