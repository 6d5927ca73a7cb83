using Ssti.Store;

namespace Ssti.Signing;

/// <summary>
/// A store seen with somebody's eyes: what is recorded through it is signed, and of what is there only the signed word of trusted keys is a record.
/// </summary>
/// <remarks>
/// Under trust the records themselves are not read at all: a signature holds the record it is about. Records without a good one are seen as damaged, which
/// makes them misses that are told.
/// </remarks>
/// <param name="inner">The store.</param>
/// <param name="signer">Signs what is recorded; null for nobody.</param>
/// <param name="trust">Whose records count; null for everybody's.</param>
public sealed class SignedStore(IArtifactStore inner, RecordSigner? signer, TrustedKeys? trust) : IArtifactStore, IDisposable
{
    /// <summary>Whose records count; null for everybody's.</summary>
    public TrustedKeys? Trust { get; } = trust;

    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public bool IsElsewhere => inner.IsElsewhere;

    /// <summary>The store as it is told to be seen; itself when there is nothing to sign or to distrust.</summary>
    public static IArtifactStore Of(IArtifactStore store, RecordSigner? signer, TrustedKeys? trust) =>
        signer is null && trust is null ? store : new SignedStore(store, signer, trust);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RecordSummary>[]> SummariesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default)
    {
        var there = await inner.SummariesAsync(keys, cancellation).ConfigureAwait(false);
        if (Trust is null) return there;
        var trusted = await RecordsAsync(keys, cancellation).ConfigureAwait(false);
        return [.. there.Select((some, i) =>
        {
            var good = trusted[i].Select(
                record => new RecordSummary(
                    record.Key, record.Tree, record.Generation, record.Files, record.Durations.Execute) { Warnings = record.Warnings });
            var others = some.Where(one => trusted[i].All(record => record.Tree != one.Tree))
                .Select(one => one with { Generation = 0, Damage = one.Damage ?? $"its record of {one.Tree.Short} is not signed by {Trust.Names}" });
            return (IReadOnlyList<RecordSummary>)[.. good, .. others];
        })];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ActionRecord>[]> RecordsAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default)
    {
        if (Trust is null) return await inner.RecordsAsync(keys, cancellation).ConfigureAwait(false);
        return [.. (await inner.SignaturesAsync(keys, cancellation).ConfigureAwait(false)).Select(Believed)];
    }

    /// <inheritdoc/>
    public async Task<RecordOutcome> PutRecordAsync(ActionRecord record, CancellationToken cancellation = default)
    {
        var outcome = await inner.PutRecordAsync(record, cancellation).ConfigureAwait(false);
        // Also beside a record that was there: that it came out again is what the signature says.
        if (signer is not null) await inner.PutSignatureAsync(signer.Sign(record), cancellation).ConfigureAwait(false);
        return outcome;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RecordSignature>[]> SignaturesAsync(IReadOnlyList<Digest> keys, CancellationToken cancellation = default) =>
        inner.SignaturesAsync(keys, cancellation);

    /// <inheritdoc/>
    public Task PutSignatureAsync(RecordSignature signature, CancellationToken cancellation = default) => inner.PutSignatureAsync(signature, cancellation);

    /// <inheritdoc/>
    public Task RequireWritableAsync(CancellationToken cancellation = default) => inner.RequireWritableAsync(cancellation);

    /// <inheritdoc/>
    public Task<long[]> SizesAsync(IReadOnlyList<Digest> blobs, CancellationToken cancellation = default) => inner.SizesAsync(blobs, cancellation);

    /// <inheritdoc/>
    public Task<BlobInfo> PutAsync(Stream content, CancellationToken cancellation = default) => inner.PutAsync(content, cancellation);

    /// <inheritdoc/>
    public Task PutAsync(Digest blob, Stream content, CancellationToken cancellation = default) => inner.PutAsync(blob, content, cancellation);

    /// <inheritdoc/>
    public Task<Stream> OpenReadAsync(Digest blob, CancellationToken cancellation = default) => inner.OpenReadAsync(blob, cancellation);

    /// <inheritdoc/>
    public Task<string> LocalPathAsync(Digest blob, CancellationToken cancellation = default) => inner.LocalPathAsync(blob, cancellation);

    /// <inheritdoc/>
    public Task<Tree> IngestAsync(string folder, CancellationToken cancellation = default) => inner.IngestAsync(folder, cancellation);

    /// <inheritdoc/>
    public Task DeleteRecordAsync(Digest key, Digest tree, CancellationToken cancellation = default) => inner.DeleteRecordAsync(key, tree, cancellation);

    /// <inheritdoc/>
    public Task DeleteBlobAsync(Digest blob, CancellationToken cancellation = default) => inner.DeleteBlobAsync(blob, cancellation);

    /// <inheritdoc/>
    public Task<string?> QuarantineAsync(Digest blob, CancellationToken cancellation = default) => inner.QuarantineAsync(blob, cancellation);

    /// <inheritdoc/>
    public Task<Digest?> RehashAsync(Digest blob, CancellationToken cancellation = default) => inner.RehashAsync(blob, cancellation);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredBlob> BlobsAsync(CancellationToken cancellation = default) => inner.BlobsAsync(cancellation);

    /// <inheritdoc/>
    public IAsyncEnumerable<Digest> KeysAsync(CancellationToken cancellation = default) => inner.KeysAsync(cancellation);

    /// <inheritdoc/>
    public Task<int> StaleUploadsAsync(DateTimeOffset begunBefore, bool remove, CancellationToken cancellation = default) =>
        inner.StaleUploadsAsync(begunBefore, remove, cancellation);

    /// <inheritdoc/>
    public void Dispose() => (inner as IDisposable)?.Dispose();

    // Several may have signed one outcome, and one signer several of them; the generations say which came last.
    private IReadOnlyList<ActionRecord> Believed(IReadOnlyList<RecordSignature> signatures)
    {
        var good = signatures.Select(one => SignedRecord.Check(one, out var signed) is null && Trust!.Has(signed!.PublicKey) ? signed.Record : null).OfType<ActionRecord>()
            .OrderByDescending(record => record.Finished).ThenBy(record => record.Tree).DistinctBy(record => record.Tree).ToList();
        return [.. good.Select((record, i) => record with { Generation = good.Count - i })];
    }
}
