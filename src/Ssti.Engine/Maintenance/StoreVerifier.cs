using System.Collections.Concurrent;
using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>A blob whose content is not what its name says.</summary>
/// <param name="Blob">The name.</param>
/// <param name="Actual">The digest of what is there, or null when it cannot be read.</param>
/// <param name="Quarantined">Where it was put aside, or null when it was left (or deleted, in a store that cannot move).</param>
public sealed record DamagedBlob(Digest Blob, Digest? Actual, string? Quarantined);

/// <summary>A record that cannot be used.</summary>
/// <param name="Key">The key.</param>
/// <param name="Stage">The stage it says it is of, when that can be read.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Removed">Whether it was removed: nothing can be learnt from it, and it would only be complained about for ever.</param>
public sealed record DamagedRecord(Digest Key, string? Stage, string Problem, bool Removed = false);

/// <summary>What verifying a store found.</summary>
/// <param name="Blobs">Blobs read.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Records">Records read.</param>
/// <param name="DamagedBlobs">Blobs that are not what they say.</param>
/// <param name="DamagedRecords">Records that cannot be used.</param>
/// <param name="Differing">Keys with several records: actions that are not deterministic.</param>
public sealed record VerificationReport(
    long Blobs, long Bytes, long Records, IReadOnlyList<DamagedBlob> DamagedBlobs, IReadOnlyList<DamagedRecord> DamagedRecords, IReadOnlyList<Digest> Differing)
{
    /// <summary>Whether everything is as it should be. Actions that are not deterministic are no damage of the store.</summary>
    public bool IsSound => DamagedBlobs.Count == 0 && DamagedRecords.Count == 0;
}

/// <summary>Reads a whole store and checks every byte against its name.</summary>
public sealed class StoreVerifier(IArtifactStore store)
{
    /// <summary>
    /// Hashes every blob anew and checks every record. With <paramref name="repair"/>, damaged blobs are put into quarantine, so that the stages that made
    /// them are misses and run again, and records that cannot be read, or lie about their key, are removed; nothing else is changed.
    /// </summary>
    /// <param name="repair">Whether to take out of use what is damaged.</param>
    /// <param name="progress">Told blobs and bytes as they are read.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public async Task<VerificationReport> VerifyAsync(bool repair, IProgress<(long Blobs, long Bytes)>? progress = null, CancellationToken cancellation = default)
    {
        long blobs = 0, bytes = 0;
        var damaged = new ConcurrentBag<DamagedBlob>();
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(store.BlobsAsync(cancellation), options, async (blob, stop) =>
        {
            var actual = await store.RehashAsync(blob.Digest, stop).ConfigureAwait(false);
            if (actual != blob.Digest)
                damaged.Add(new DamagedBlob(blob.Digest, actual, repair ? await store.QuarantineAsync(blob.Digest, stop).ConfigureAwait(false) : null));
            var sofar = (Interlocked.Increment(ref blobs), Interlocked.Add(ref bytes, blob.Size));
            progress?.Report(sofar);
        }).ConfigureAwait(false);

        // After the blobs: what was put into quarantine makes its records unusable, and that is to be told.
        var bad = new List<DamagedRecord>();
        var differing = new List<Digest>();
        long records = 0;
        await foreach (var batch in store.KeysAsync(cancellation).Chunk(StoreTransfer.BatchSize).WithCancellation(cancellation).ConfigureAwait(false))
        {
            var summaries = await store.SummariesAsync(batch, cancellation).ConfigureAwait(false);
            var lookups = await store.FindAsync(batch, cancellation).ConfigureAwait(false);
            var full = await store.RecordsAsync(batch, cancellation).ConfigureAwait(false);
            for (var i = 0; i < batch.Length; i++)
            {
                records += lookups[i].Records;
                if (lookups[i].Records > 1) differing.Add(batch[i]);
                bad.AddRange(await ProblemsAsync(summaries[i], lookups[i], full[i], repair, cancellation).ConfigureAwait(false));
            }
        }

        return new VerificationReport(blobs, bytes, records, [.. damaged.OrderBy(d => d.Blob)], bad, differing);
    }

    private async Task<List<DamagedRecord>> ProblemsAsync(
        IReadOnlyList<RecordSummary> summaries, ActionLookup lookup, IReadOnlyList<ActionRecord> full, bool repair, CancellationToken cancellation)
    {
        var key = lookup.Key;
        var bad = new List<DamagedRecord>();
        foreach (var summary in summaries.Where(s => s.Damage is not null))
            bad.Add(await OfAsync(null, summary.Tree, summary.Damage!, remove: repair).ConfigureAwait(false));
        bad.AddRange(lookup.Damages.Except(summaries.Select(s => s.Damage)).Select(d => new DamagedRecord(key, full.FirstOrDefault()?.Stage, d!)));
        if (lookup.Hit is null) return bad;
        foreach (var record in full)
        {
            if (await RecordCheck.ProblemAsync(store, record, cancellation).ConfigureAwait(false) is { } problem)
                bad.Add(await OfAsync(record.Stage, record.Tree, problem, remove: repair).ConfigureAwait(false));
        }

        return bad;

        async Task<DamagedRecord> OfAsync(string? stage, Digest tree, string problem, bool remove)
        {
            if (remove) await store.DeleteRecordAsync(key, tree, cancellation).ConfigureAwait(false);
            return new DamagedRecord(key, stage, problem, remove);
        }
    }
}
