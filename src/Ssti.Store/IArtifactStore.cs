namespace Ssti.Store;

/// <summary>
/// Where blobs, trees and action records live: a folder (<see cref="Files.FileStore"/>) or an object store on another machine.
/// </summary>
/// <remarks>
/// Content is named by its SHA-256, so that nothing is ever overwritten with something else and copies between stores need no agreement.
/// A record is put last: whoever sees a record may expect its blobs. All members may be called from several threads and processes at once.
/// Failures of the medium (full, unreachable, read-only) are <see cref="StoreException"/>.
/// </remarks>
public interface IArtifactStore
{
    /// <summary>What to call it in messages: a path or a URL.</summary>
    string Location { get; }

    /// <summary>Whether it is on another machine, and local paths lead to copies that can be fetched again.</summary>
    bool IsElsewhere { get; }

    /// <summary>The size in bytes of each blob, or -1 where there is none; in the order asked. Looks at no content.</summary>
    Task<long[]> SizesAsync(IReadOnlyList<Digest> blobs, CancellationToken cancellation = default);

    /// <summary>Stores a stream, and returns its name.</summary>
    Task<BlobInfo> PutAsync(Stream content, CancellationToken cancellation = default);

    /// <summary>Stores a stream that must have this digest.</summary>
    /// <exception cref="StoreException">The content has another digest; nothing was stored.</exception>
    Task PutAsync(Digest blob, Stream content, CancellationToken cancellation = default);

    /// <summary>Opens a blob for reading.</summary>
    /// <exception cref="StoreException">There is no such blob.</exception>
    Task<Stream> OpenReadAsync(Digest blob, CancellationToken cancellation = default);

    /// <summary>A blob as a local, read-only file, fetched first where the store is elsewhere.</summary>
    /// <exception cref="StoreException">There is no such blob.</exception>
    Task<string> LocalPathAsync(Digest blob, CancellationToken cancellation = default);

    /// <summary>
    /// Takes every file of a folder into the store, and the tree that lists them. The files may be moved rather than copied:
    /// the folder is the store's from here on.
    /// </summary>
    /// <exception cref="StoreException">The folder holds a link or something that is not a plain file.</exception>
    Task<Tree> IngestAsync(string folder, CancellationToken cancellation = default);

    /// <summary>The records of each key, best first (highest generation); in the order asked, empty where there is none.</summary>
    Task<IReadOnlyList<ActionRecord>[]> RecordsAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default);

    /// <summary>
    /// Like <see cref="RecordsAsync"/>, reading only what a look-up needs. More than one summary under a key is non-determinism.
    /// </summary>
    Task<IReadOnlyList<RecordSummary>[]> SummariesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default);

    /// <summary>
    /// Stores a record whose blobs are stored already. Its generation is set here: one more than the highest under its key.
    /// A record with the same outputs as one that is there replaces nothing.
    /// </summary>
    Task<RecordOutcome> PutRecordAsync(ActionRecord record, CancellationToken cancellation = default);

    /// <summary>The signatures beside the records of each key, in the order asked, as they lie there: nothing of them is checked.</summary>
    Task<IReadOnlyList<RecordSignature>[]> SignaturesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default);

    /// <summary>Puts a signature beside its record, in the place of that signer's earlier one.</summary>
    Task PutSignatureAsync(RecordSignature signature, CancellationToken cancellation = default);

    /// <summary>Ends with an error where this user may only read, before work is begun that could not be kept.</summary>
    /// <exception cref="StoreException">It cannot be written.</exception>
    Task RequireWritableAsync(CancellationToken cancellation = default) => Task.CompletedTask;

    /// <summary>Deletes one record of a key, and the signatures beside it. Deleting what is not there is no error.</summary>
    Task DeleteRecordAsync(Digest key, Digest tree, CancellationToken cancellation = default);

    /// <summary>Deletes a blob. Deleting what is not there is no error.</summary>
    Task DeleteBlobAsync(Digest blob, CancellationToken cancellation = default);

    /// <summary>
    /// Takes a damaged blob out of use, so that it is rebuilt and never served. Returns where it is kept for a look, or null when it is deleted.
    /// </summary>
    async Task<string?> QuarantineAsync(Digest blob, CancellationToken cancellation = default)
    {
        await DeleteBlobAsync(blob, cancellation).ConfigureAwait(false);
        return null;
    }

    /// <summary>
    /// Reads a blob where it really lies, past any cache, and returns the digest of what is there; null where it cannot be read or is gone.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be used at all: nothing is known of the blob.</exception>
    Task<Digest?> RehashAsync(Digest blob, CancellationToken cancellation = default);

    /// <summary>Every blob, in no particular order.</summary>
    IAsyncEnumerable<StoredBlob> BlobsAsync(CancellationToken cancellation = default);

    /// <summary>Every key that has a record, in no particular order.</summary>
    IAsyncEnumerable<Digest> KeysAsync(CancellationToken cancellation = default);

    /// <summary>
    /// Counts the uploads begun before then that nobody finished, and throws them away if asked to. They are served to nobody, but take room in a bucket;
    /// a folder has none.
    /// </summary>
    Task<int> StaleUploadsAsync(DateTimeOffset begunBefore, bool remove, CancellationToken cancellation = default) => Task.FromResult(0);
}

/// <summary>A stored blob.</summary>
/// <param name="Digest">Its name.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct BlobInfo(Digest Digest, long Size);

/// <summary>A blob as it lies in a store.</summary>
/// <param name="Digest">Its name.</param>
/// <param name="Size">Bytes.</param>
/// <param name="At">When it was stored, by the clock of the store.</param>
public readonly record struct StoredBlob(Digest Digest, long Size, DateTimeOffset At);

/// <summary>What putting a record did.</summary>
public enum RecordOutcome
{
    /// <summary>It is the first of its key.</summary>
    Added,

    /// <summary>A record with the same outputs was there, and stays.</summary>
    Same,

    /// <summary>A record with other outputs was there: the action is not deterministic. Both are kept.</summary>
    Differs,
}
