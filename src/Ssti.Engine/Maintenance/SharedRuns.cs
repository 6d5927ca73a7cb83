using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>The journals and logs of runs in a store that has no workspace beside it, such as a bucket: a record of the engine's own for each run.</summary>
public sealed class SharedRuns(IArtifactStore store) : IRunJournals
{
    private const string Kind = "run", Field = "name";

    /// <summary>What to call the store in messages.</summary>
    public string Location => store.Location;

    /// <summary>The key of a run.</summary>
    public static Digest KeyOf(string run) => OwnRecord.KeyOf(Kind, Field, run);

    /// <summary>The names of all runs, newest first. Every record of the store is looked at.</summary>
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

    /// <summary>Reads a run; null when it is not there, or its journal cannot be read.</summary>
    /// <exception cref="StoreException">What is there is damaged or no run's, or the store cannot be used.</exception>
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
        if (await RecordOf(run).FindAsync(cancellation).ConfigureAwait(false) is not { } hit) return [];
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
        var known = await store.RecordsAsync([KeyOf(run.Id)], cancellation).ConfigureAwait(false);
        if (known[0].FirstOrDefault(one => one.Started != run.At) is { } other)
            throw new StoreException($"another run {run.Id} is in {Location} already: it began at {other.Started:u}, this one at {run.At:u}");
        var record = RecordOf(run.Id);
        var there = await record.FindAsync(cancellation).ConfigureAwait(false);
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
        await record.PutAsync(tree, run.Pipeline, $"journal of {run.Id}", run.Id, run.At, run.At.AddSeconds(run.Seconds ?? 0), cancellation).ConfigureAwait(false);
        if (there is not null) await record.DeleteAsync(there.Tree, cancellation).ConfigureAwait(false);
        return true;
    }

    private OwnRecord RecordOf(string run) => new(store, Kind, Field, run);
}
