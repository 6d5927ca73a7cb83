using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>What a collection keeps; all else goes.</summary>
public sealed record CollectionOptions
{
    /// <summary>The newest runs of each pipeline to keep.</summary>
    public int KeepLast { get; init; } = 10;

    /// <summary>Keep runs begun since then, and results stored since then that no run here ever used; or null.</summary>
    public DateTimeOffset? KeepSince { get; init; }

    /// <summary>
    /// Keep what was stored since then whoever needs it, or null. Somebody at work stores blobs first and the record that refers to them last: where the
    /// store cannot be had to oneself, this is what keeps the two together.
    /// </summary>
    public DateTimeOffset? KeepYoung { get; init; }

    /// <summary>Uploads begun before then that nobody finished are given up.</summary>
    internal DateTimeOffset UploadsBefore => KeepYoung ?? DateTimeOffset.MaxValue;

    /// <summary>
    /// Whether the store is not this machine's alone, as a bucket: then the runs and leftovers in the workspace are not the store's, and stay.
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>Runs to keep by name.</summary>
    public IReadOnlyCollection<string> KeepRuns { get; init; } = [];

    /// <summary>Runs to remove by name, whatever else says to keep them.</summary>
    public IReadOnlyCollection<string> DropRuns { get; init; } = [];

    /// <summary>
    /// Whether records go that no run here ever used: those that were pulled, or pushed by somebody else. Nothing here can know who needs them.
    /// </summary>
    public bool Unused { get; init; }

    /// <summary>Keys to keep whoever used them, such as those of pipelines in use.</summary>
    public IReadOnlyCollection<Digest> KeepKeys { get; init; } = [];
}

/// <summary>What a collection would remove.</summary>
/// <param name="KeptRuns">Runs that stay.</param>
/// <param name="Runs">Runs that go: their journals and logs.</param>
/// <param name="Records">Records that go: key and tree.</param>
/// <param name="Blobs">Blobs that go.</param>
/// <param name="Leftovers">Folders and files of dead attempts that go.</param>
/// <param name="Uploads">How many uploads that nobody finished go.</param>
/// <param name="UnusedKeys">How many keys stay although no run here ever used them.</param>
public sealed record CollectionPlan(
    IReadOnlyList<string> KeptRuns, IReadOnlyList<string> Runs, IReadOnlyList<(Digest Key, Digest Tree)> Records, IReadOnlyList<StoredBlob> Blobs,
    IReadOnlyList<string> Leftovers, int Uploads, int UnusedKeys)
{
    /// <summary>Bytes of the blobs.</summary>
    public long Bytes => Blobs.Sum(b => b.Size);
}

/// <summary>
/// Removes what no kept run refers to: runs, then records, then blobs. Never at the same time as a run: it takes the store for itself.
/// </summary>
/// <remarks>
/// A bucket cannot be taken for oneself. What others store meanwhile is kept by its age (<see cref="CollectionOptions.KeepYoung"/>). An old blob that
/// nothing refers to may be taken up by somebody between the look and the removal; their record then lacks a blob, which every look-up notices, and the
/// stage is rebuilt. Nothing wrong is ever served.
/// </remarks>
public sealed class Collector(IArtifactStore store, Workspace workspace)
{
    /// <summary>Says what would be removed.</summary>
    public async Task<CollectionPlan> PlanAsync(CollectionOptions options, CancellationToken cancellation = default)
    {
        var keep = options.KeepKeys.ToHashSet();
        var (kept, gone, dropped) = Runs(options, keep);
        // Blobs before records: what somebody stores in between is referred to, or not even seen.
        var stored = new Dictionary<Digest, StoredBlob>();
        await foreach (var blob in store.BlobsAsync(cancellation).ConfigureAwait(false)) stored[blob.Digest] = blob;
        var records = new List<(Digest, Digest)>();
        var live = new HashSet<Digest>();
        var unused = 0;
        await foreach (var keys in store.KeysAsync(cancellation).Chunk(StoreTransfer.BatchSize).WithCancellation(cancellation).ConfigureAwait(false))
        {
            var full = await store.RecordsAsync(keys, cancellation).ConfigureAwait(false);
            var going = new List<(Digest Key, IEnumerable<Digest> Staying)>();
            for (var i = 0; i < keys.Length; i++)
            {
                var key = keys[i];
                var isUnused = !keep.Contains(key) && !dropped.Contains(key);
                var stays = keep.Contains(key) || (isUnused && !options.Unused);
                var staying = full[i].Where(record => stays || At(record) >= options.KeepYoung || (isUnused && At(record) >= options.KeepSince)).ToList();
                foreach (var record in staying) live.UnionWith(StoreTransfer.BlobsOf(record));
                if (isUnused && (stays || staying.Count > 0)) unused++;
                if (!stays) going.Add((key, staying.Select(record => record.Tree)));
            }

            // A damaged record is none of those above, and goes as well.
            var summaries = await store.SummariesAsync([.. going.Select(one => one.Key)], cancellation).ConfigureAwait(false);
            foreach (var ((key, staying), there) in going.Zip(summaries)) records.AddRange(there.Select(summary => summary.Tree).Except(staying).Select(tree => (key, tree)));
        }

        var blobs = stored.Values.Where(blob => !live.Contains(blob.Digest) && !(blob.At >= options.KeepYoung)).ToList();
        if (!options.IsShared) return new CollectionPlan(kept, gone, records, blobs, Leftovers(keep), 0, unused);
        var uploads = await store.StaleUploadsAsync(options.UploadsBefore, remove: false, cancellation).ConfigureAwait(false);
        return new CollectionPlan([.. kept, .. gone], [], records, blobs, [], uploads, unused);

        // What was pushed today may have been made a year ago.
        DateTimeOffset At(ActionRecord record) => stored.TryGetValue(record.Tree, out var tree) && tree.At > record.Finished ? tree.At : record.Finished;
    }

    /// <summary>Parts the runs, and adds the keys that kept ones used to <paramref name="keep"/>; also gives those that runs to be removed used.</summary>
    private (List<string> Kept, List<string> Gone, HashSet<Digest> Dropped) Runs(CollectionOptions options, HashSet<Digest> keep)
    {
        var history = new RunHistory(workspace);
        var perPipeline = new Dictionary<(string Name, string? Place), int>();
        var dropped = new HashSet<Digest>();
        List<string> kept = [], gone = [];
        foreach (var id in history.Ids)
        {
            var run = history.Read(id);
            bool stays;
            if (options.DropRuns.Contains(id)) stays = false;
            else if (run is null) stays = HasJournal(id); // What cannot be read cannot be judged: it goes only when it is named.
            else
            {
                var pipeline = (run.Pipeline, run.Place);
                var rank = perPipeline[pipeline] = perPipeline.GetValueOrDefault(pipeline) + 1;
                stays = rank <= options.KeepLast || (options.KeepSince is { } since && run.At >= since) || options.KeepRuns.Contains(id);
            }

            (stays ? kept : gone).Add(id);
            // Where it was pushed, its journal goes and stays with it.
            (stays ? keep : dropped).Add(SharedRuns.KeyOf(id));
            foreach (var stage in run?.Stages ?? [])
                if (stage.Key is { } key && stage.Tree is not null) (stays ? keep : dropped).Add(key);
        }

        return (kept, gone, dropped);
    }

    private bool HasJournal(string id) => new FileInfo(Path.Combine(workspace.Runs, id, RunJournal.FileName)) is { Exists: true, Length: > 0 };

    /// <summary>Removes what <see cref="PlanAsync"/> says now. Returns what was removed.</summary>
    /// <exception cref="StoreException">A run is using the store, or something cannot be removed.</exception>
    public async Task<CollectionPlan> CollectAsync(CollectionOptions options, CancellationToken cancellation = default)
    {
        // Of a bucket, this at least keeps this machine's runs apart from its collections; without runs there is no folder to lock.
        using var alone = options.IsShared && !Directory.Exists(workspace.Root) ? null : workspace.TryOwn()
            ?? throw new StoreException($"a run, or another command, is using the store {workspace.Root}; collect when it is done");
        var plan = await PlanAsync(options, cancellation).ConfigureAwait(false);
        // Records before blobs: were this killed half-way, nothing would be left that claims what is not there.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = StoreTransfer.AtOnce, CancellationToken = cancellation };
        await Parallel.ForEachAsync(plan.Records, parallel, async (record, stop) => await store.DeleteRecordAsync(record.Key, record.Tree, stop).ConfigureAwait(false))
            .ConfigureAwait(false);
        await Parallel.ForEachAsync(plan.Blobs, parallel, async (blob, stop) => await store.DeleteBlobAsync(blob.Digest, stop).ConfigureAwait(false)).ConfigureAwait(false);
        if (plan.Uploads > 0) await store.StaleUploadsAsync(options.UploadsBefore, remove: true, cancellation).ConfigureAwait(false);
        workspace.Guarded(() =>
        {
            foreach (var id in plan.Runs) Directory.Delete(Path.Combine(workspace.Runs, id), recursive: true);
            foreach (var path in plan.Leftovers)
            {
                if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
                else File.Delete(path);
            }

            return 0;
        });
        return plan;
    }

    // With the store to oneself, whatever lies in these folders belongs to the dead; but a checkpoint of a key in use is worth keeping.
    private List<string> Leftovers(HashSet<Digest> keep)
    {
        var found = new List<string>();
        foreach (var folder in (string[])["work", "tmp", "locks"])
        {
            var path = Path.Combine(workspace.Root, folder);
            if (!Directory.Exists(path)) continue;
            foreach (var entry in Directory.EnumerateFileSystemEntries(path))
            {
                // Only what this program names: a folder that is no store may have a 'tmp' of its own.
                var name = Path.GetFileName(entry);
                var ours = Digest.TryParse(name, out var key) || Guid.TryParseExact(name.Split('-')[^1], "n", out _);
                if (ours && !(folder == "work" && keep.Contains(key))) found.Add(entry);
            }
        }

        return found;
    }
}
