using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>What copying between stores did.</summary>
/// <param name="Keys">Keys that had a usable record.</param>
/// <param name="Records">Records that were new there.</param>
/// <param name="Blobs">Blobs copied.</param>
/// <param name="Bytes">Bytes copied.</param>
/// <param name="Missing">Keys without a usable record here.</param>
/// <param name="Differing">Keys that had other outputs there: actions that are not deterministic. Both records are kept.</param>
public sealed record TransferResult(int Keys, int Records, int Blobs, long Bytes, IReadOnlyList<Digest> Missing, IReadOnlyList<Digest> Differing);

/// <summary>
/// Copies actions between stores, for <c>push</c> and <c>pull</c>: their blobs first, then the records. What is there already is not sent again, and what is
/// damaged here is refused there, because each blob is checked as it is stored.
/// </summary>
public static class StoreTransfer
{
    private const int AtOnce = 8;
    private const int BatchSize = 200;

    /// <summary>Copies the records of some keys with all they hold: trees, files, logs.</summary>
    /// <param name="from">Where they are.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="progress">Told blobs and bytes as they are copied.</param>
    /// <param name="cancellation">Stops; what is copied stays, and is not copied again.</param>
    /// <exception cref="StoreException">A store cannot be used, or a blob here is damaged.</exception>
    public static async Task<TransferResult> CopyAsync(
        IArtifactStore from, IArtifactStore to, IReadOnlyCollection<Digest> keys, IProgress<(int Blobs, long Bytes)>? progress = null, CancellationToken cancellation = default)
    {
        int found = 0, added = 0, blobs = 0;
        long bytes = 0;
        var missing = new List<Digest>();
        var differing = new List<Digest>();
        foreach (var batch in keys.Distinct().Chunk(BatchSize))
        {
            var lookups = await from.FindAsync(batch, cancellation).ConfigureAwait(false);
            var records = await from.RecordsAsync(batch, cancellation).ConfigureAwait(false);
            var usable = new List<ActionRecord>();
            for (var i = 0; i < batch.Length; i++)
            {
                if (lookups[i].Hit is { } hit && records[i].FirstOrDefault(r => r.Tree == hit.Tree) is { } record) usable.Add(record);
                else missing.Add(batch[i]);
            }

            found += usable.Count;
            var wanted = await WantedAsync(from, to, usable, cancellation).ConfigureAwait(false);
            await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (blob, stop) =>
            {
                await using var stream = await from.OpenReadAsync(blob.Digest, stop).ConfigureAwait(false);
                await to.PutAsync(blob.Digest, stream, stop).ConfigureAwait(false);
                var sofar = (Interlocked.Increment(ref blobs), Interlocked.Add(ref bytes, blob.Size));
                progress?.Report(sofar);
            }).ConfigureAwait(false);

            foreach (var record in usable)
            {
                var outcome = await to.PutRecordAsync(record, cancellation).ConfigureAwait(false);
                if (outcome != RecordOutcome.Same) added++;
                if (outcome == RecordOutcome.Differs) differing.Add(record.Key);
            }
        }

        return new TransferResult(found, added, blobs, bytes, missing, differing);
    }

    /// <summary>Every blob that records hold on to.</summary>
    internal static IEnumerable<Digest> BlobsOf(ActionRecord record) =>
        record.Files.Select(f => f.Digest).Append(record.Tree).Concat(record.Log is { } log ? [log] : []);

    private static async Task<List<BlobInfo>> WantedAsync(IArtifactStore from, IArtifactStore to, List<ActionRecord> records, CancellationToken cancellation)
    {
        var all = records.SelectMany(BlobsOf).Distinct().ToList();
        var here = await from.SizesAsync(all, cancellation).ConfigureAwait(false);
        var there = await to.SizesAsync(all, cancellation).ConfigureAwait(false);
        // A log may be lost; what a look-up needs was checked before.
        return [.. all.Select((digest, i) => (Blob: new BlobInfo(digest, here[i]), There: there[i])).Where(b => b.Blob.Size >= 0 && b.There != b.Blob.Size).Select(b => b.Blob)];
    }
}
