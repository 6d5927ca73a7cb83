using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Records;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>The journals and logs of runs in a store that has no workspace beside it, such as a bucket: what <c>push --run</c> and <c>pull --run</c> exchange.</summary>
/// <remarks>
/// A run is a record under a key of its own (kind <c>run</c>, with the run's name), so that any store will do, and what holds for outputs holds for it: checked
/// on its way, verified, collected.
/// </remarks>
public sealed class SharedRuns(IArtifactStore store)
{
    private const string Kind = "run";

    /// <summary>The key of a run.</summary>
    public static Digest KeyOf(string run) => Document(run).Key;

    /// <summary>Puts a run's journal and logs into the store; false when they are there already, in this state or a later one.</summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public async Task<bool> PutAsync(Workspace from, PastRun run, CancellationToken cancellation = default)
    {
        var document = Document(run.Id);
        var there = (await store.FindAsync([document.Key], cancellation).ConfigureAwait(false))[0].Hit;
        var files = new List<TreeFile>();
        foreach (var path in Directory.EnumerateFiles(Path.Combine(from.Runs, run.Id)))
        {
            await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var (digest, size) = await store.PutAsync(content, cancellation).ConfigureAwait(false);
            files.Add(new TreeFile(Path.GetFileName(path), digest, size));
        }

        var tree = Tree.Of(files);
        // Journals and logs only ever grow: of two states of one run, the larger is the later.
        if (there is not null && (there.Tree == tree.Digest || there.Files.Sum(file => file.Size) > tree.TotalSize)) return false;
        await store.PutAsync(tree.Digest, new MemoryStream(tree.Json.ToArray()), cancellation).ConfigureAwait(false);
        await store.PutRecordAsync(
            new ActionRecord
            {
                Key = document.Key,
                Tree = tree.Digest,
                Files = tree.Files,
                Document = document.ToJson(),
                Pipeline = run.Pipeline,
                Stage = $"journal of {run.Id}",
                Run = run.Id,
                Started = run.At,
                Finished = run.At.AddSeconds(run.Seconds ?? 0),
                Durations = new ActionDurations(0, 0, 0, 0),
            },
            cancellation).ConfigureAwait(false);
        // One state is enough, and two would look like a stage that is not deterministic.
        if (there is not null) await store.DeleteRecordAsync(document.Key, there.Tree, cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>Brings a run's journal and logs into a workspace; null when the store does not have it, else whether they are new there.</summary>
    /// <exception cref="StoreException">They are damaged or no run's, another run of that name is there, or the store cannot be used.</exception>
    public async Task<bool?> FetchAsync(string run, Workspace to, CancellationToken cancellation = default)
    {
        var hit = (await store.FindAsync([KeyOf(run)], cancellation).ConfigureAwait(false))[0].Hit;
        if (hit is null) return null;
        var known = new RunHistory(to).Ids.Contains(run);
        using var folder = new RunFolder(to);
        foreach (var file in (await store.TreeAsync(hit.Tree, cancellation).ConfigureAwait(false)).Files)
        {
            if (!RunFolder.IsPlain(run) || !RunFolder.IsPlain(file.Path)) throw new StoreException($"the journal of '{run}' in {store.Location} is none: it holds '{file.Path}'");
            await using var content = File.OpenRead(await store.CheckedPathAsync(file.Digest, cancellation).ConfigureAwait(false));
            await folder.AddAsync(run, file.Path, content, cancellation).ConfigureAwait(false);
        }

        folder.Place();
        return !known;
    }

    /// <summary>The names of all runs in the store, newest first. Every record is looked at.</summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public async Task<IReadOnlyList<string>> IdsAsync(CancellationToken cancellation = default)
    {
        var runs = new List<ActionRecord>();
        await foreach (var keys in store.KeysAsync(cancellation).Chunk(StoreTransfer.BatchSize).WithCancellation(cancellation).ConfigureAwait(false))
        {
            var records = await store.RecordsAsync(keys, cancellation).ConfigureAwait(false);
            runs.AddRange(records.SelectMany(some => some.Take(1)).Where(record => record.Key == KeyOf(record.Run)));
        }

        return [.. runs.OrderByDescending(record => record.Started).ThenByDescending(record => record.Run, StringComparer.Ordinal).Select(record => record.Run)];
    }

    private static KeyDocument Document(string run) => new(new JsonObject { ["schema"] = KeyDocument.Schema, ["kind"] = Kind, ["name"] = run });
}
