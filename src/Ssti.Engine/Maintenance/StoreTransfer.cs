using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>What copying between stores did.</summary>
/// <param name="Keys">Keys that had a usable record.</param>
/// <param name="Records">Records that were new there.</param>
/// <param name="Blobs">Blobs copied.</param>
/// <param name="Bytes">Bytes copied.</param>
/// <param name="Missing">Keys without a usable record here.</param>
/// <param name="Differing">Keys that had other outputs there: actions that are not deterministic. Both records are kept.</param>
/// <param name="Damaged">What is damaged here: the stage and what is wrong. Not copied.</param>
public sealed record TransferResult(
    int Keys, int Records, int Blobs, long Bytes, IReadOnlyList<Digest> Missing, IReadOnlyList<Digest> Differing, IReadOnlyList<(string Stage, string Problem)> Damaged);

/// <summary>How far copying is.</summary>
/// <param name="Blobs">Blobs copied.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="TotalBlobs">Blobs known to be wanted so far; rises as keys are looked at.</param>
/// <param name="TotalBytes">Their bytes.</param>
public readonly record struct TransferProgress(int Blobs, long Bytes, int TotalBlobs, long TotalBytes);

/// <summary>
/// Copies actions between stores, for <c>push</c> and <c>pull</c>: their blobs first, then the records. What is there already is not sent again, so an
/// interrupted copy goes on where it stopped. What is damaged is not copied, because each blob is checked as it is stored and each record as it is read.
/// </summary>
public static class StoreTransfer
{
    /// <summary>How many blobs are under way at once, and how many keys are asked for in one question: a bucket answers slowly, but many at a time.</summary>
    internal const int AtOnce = 8, BatchSize = 200;

    /// <summary>Copies the records of some keys with all they hold: trees, files, logs.</summary>
    /// <param name="from">Where they are.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="progress">Told blobs and bytes as they are copied.</param>
    /// <param name="cancellation">Stops; what is copied stays, and is not copied again.</param>
    /// <exception cref="StoreException">A store cannot be used.</exception>
    public static async Task<TransferResult> CopyAsync(
        IArtifactStore from, IArtifactStore to, IReadOnlyCollection<Digest> keys, IProgress<TransferProgress>? progress = null, CancellationToken cancellation = default)
    {
        int found = 0, added = 0, blobs = 0, totalBlobs = 0;
        long bytes = 0, totalBytes = 0;
        var missing = new List<Digest>();
        var differing = new List<Digest>();
        var damaged = new List<(string, string)>();
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
            totalBlobs += wanted.Count;
            totalBytes += wanted.Sum(b => b.Size);
            var bad = new System.Collections.Concurrent.ConcurrentDictionary<Digest, string>();
            await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (blob, stop) =>
            {
                if (await CopyAsync(from, to, blob.Digest, stop).ConfigureAwait(false) is { } problem)
                {
                    bad[blob.Digest] = problem;
                    return;
                }

                var sofar = new TransferProgress(Interlocked.Increment(ref blobs), Interlocked.Add(ref bytes, blob.Size), totalBlobs, totalBytes);
                progress?.Report(sofar);
            }).ConfigureAwait(false);

            foreach (var record in usable)
            {
                var problem = BlobsOf(record).Select(b => bad.GetValueOrDefault(b)).FirstOrDefault(p => p is not null)
                    ?? await RecordCheck.ProblemAsync(to, record, cancellation).ConfigureAwait(false);
                if (problem is not null)
                {
                    damaged.Add((record.Stage, problem));
                    continue;
                }

                var outcome = await to.PutRecordAsync(record, cancellation).ConfigureAwait(false);
                await CopySignaturesAsync(from, to, record, cancellation).ConfigureAwait(false);
                if (outcome != RecordOutcome.Same) added++;
                if (outcome == RecordOutcome.Differs) differing.Add(record.Key);
            }
        }

        return new TransferResult(found, added, blobs, bytes, missing, differing, damaged);
    }

    /// <summary>Copies the journal and the logs of a run; false when they are there already, or nowhere.</summary>
    /// <exception cref="StoreException">Another run of that name is there, or a place cannot be used.</exception>
    public static async Task<bool> CopyRunAsync(IRunJournals from, IRunJournals to, PastRun run, CancellationToken cancellation = default) =>
        await to.PutAsync(run, await from.FilesAsync(run.Id, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    /// <summary>Every blob that records hold on to.</summary>
    internal static IEnumerable<Digest> BlobsOf(ActionRecord record) =>
        record.Files.Select(f => f.Digest).Append(record.Tree).Concat(record.Log is { } log ? [log] : []);

    // They say whose word the record is, whoever's copy of it came first.
    private static async Task CopySignaturesAsync(IArtifactStore from, IArtifactStore to, ActionRecord record, CancellationToken cancellation)
    {
        var signatures = (await from.SignaturesAsync([record.Key], cancellation).ConfigureAwait(false))[0].Where(one => one.Tree == record.Tree).ToList();
        if (signatures.Count == 0) return;
        var there = (await to.SignaturesAsync([record.Key], cancellation).ConfigureAwait(false))[0].Select(one => one.FileName).ToHashSet();
        foreach (var signature in signatures.Where(one => !there.Contains(one.FileName))) await to.PutSignatureAsync(signature, cancellation).ConfigureAwait(false);
    }

    // Null, or what is wrong with the blob itself. A store that cannot be used is no such thing, and ends the copying.
    private static async Task<string?> CopyAsync(IArtifactStore from, IArtifactStore to, Digest blob, CancellationToken cancellation)
    {
        try
        {
            await using var stream = await from.OpenReadAsync(blob, cancellation).ConfigureAwait(false);
            await to.PutAsync(blob, stream, cancellation).ConfigureAwait(false);
            return null;
        }
        catch (StoreException)
        {
            // Which side it was is asked of the content: a second reading that fails as well is the store's fault, and is told as that.
            var there = await from.RehashAsync(blob, cancellation).ConfigureAwait(false);
            if (there == blob) throw;
            return $"the blob {blob.Short} in {from.Location} is damaged; 'ssti verify --repair' there takes it out of use";
        }
    }

    private static async Task<List<BlobInfo>> WantedAsync(IArtifactStore from, IArtifactStore to, List<ActionRecord> records, CancellationToken cancellation)
    {
        var all = records.SelectMany(BlobsOf).Distinct().ToList();
        var here = await from.SizesAsync(all, cancellation).ConfigureAwait(false);
        var there = await to.SizesAsync(all, cancellation).ConfigureAwait(false);
        // A log may be lost; what a look-up needs was checked before.
        return [.. all.Select((digest, i) => (Blob: new BlobInfo(digest, here[i]), There: there[i])).Where(b => b.Blob.Size >= 0 && b.There != b.Blob.Size).Select(b => b.Blob)];
    }
}
