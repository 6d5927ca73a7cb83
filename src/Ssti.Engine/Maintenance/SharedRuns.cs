using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>The journals and logs of runs in a store that has no workspace beside it, such as a bucket.</summary>
/// <remarks>
/// A run is a record under a key of its own (kind <c>run</c>, with the run's name), so that any store will do, and what holds for outputs holds for it: checked
/// on its way, verified, collected.
/// </remarks>
public sealed class SharedRuns(IArtifactStore store) : IRunJournals
{
    private const string Kind = "run";

    /// <inheritdoc/>
    public string Location => store.Location;

    /// <summary>The key of a run.</summary>
    public static Digest KeyOf(string run) => Document(run).Key;

    /// <inheritdoc/>
    /// <remarks>Every record of the store is looked at.</remarks>
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

    /// <inheritdoc/>
    public async Task<PastRun?> ReadAsync(string run, CancellationToken cancellation = default)
    {
        var files = await FilesAsync(run, cancellation).ConfigureAwait(false);
        if (files.FirstOrDefault(file => file.Name == RunJournal.FileName) is not { } journal) return null;
        await using var content = await journal.OpenAsync(cancellation).ConfigureAwait(false);
        return RunHistory.Read(run, content);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RunFile>> FilesAsync(string run, CancellationToken cancellation = default)
    {
        if (await FindAsync(run, cancellation).ConfigureAwait(false) is not { } hit) return [];
        var files = (await store.TreeAsync(hit.Tree, cancellation).ConfigureAwait(false)).Files;
        if (!RunFolder.IsPlain(run) || files.Any(file => !RunFolder.IsPlain(file.Path)))
            throw new StoreException($"the journal of '{run}' in {Location} is none: it holds '{string.Join("', '", files.Select(file => file.Path))}'");
        return [.. files.Select(file => new RunFile(
            file.Path, async stop => File.OpenRead(await store.CheckedPathAsync(file.Digest, stop).ConfigureAwait(false))))];
    }

    /// <inheritdoc/>
    public async Task<bool> PutAsync(PastRun run, IReadOnlyList<RunFile> files, CancellationToken cancellation = default)
    {
        if (files.Count == 0) return false;
        var document = Document(run.Id);
        var there = await FindAsync(run.Id, cancellation).ConfigureAwait(false);
        if (await ReadAsync(run.Id, cancellation).ConfigureAwait(false) is { } other && other.At != run.At)
            throw new StoreException($"another run {run.Id} is in {Location} already: it began at {other.At:u}, this one at {run.At:u}");
        var stored = new List<TreeFile>();
        foreach (var file in files)
        {
            await using var content = await file.OpenAsync(cancellation).ConfigureAwait(false);
            var (digest, size) = await store.PutAsync(content, cancellation).ConfigureAwait(false);
            stored.Add(new TreeFile(file.Name, digest, size));
        }

        var tree = Tree.Of(stored);
        // Of two states of one run, the larger is the later.
        if (there is not null && (there.Tree == tree.Digest || there.Files.Sum(file => file.Size) > tree.TotalSize)) return false;
        await store.PutTreeAsync(tree, cancellation).ConfigureAwait(false);
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
                Durations = ActionDurations.None,
            },
            cancellation).ConfigureAwait(false);
        // One state is enough, and two would look like a stage that is not deterministic.
        if (there is not null) await store.DeleteRecordAsync(document.Key, there.Tree, cancellation).ConfigureAwait(false);
        return true;
    }

    private async Task<RecordSummary?> FindAsync(string run, CancellationToken cancellation) =>
        (await store.FindAsync([KeyOf(run)], cancellation).ConfigureAwait(false))[0].Hit;

    private static KeyDocument Document(string run) => new(new JsonObject { ["schema"] = KeyDocument.Schema, ["kind"] = Kind, ["name"] = run });
}
