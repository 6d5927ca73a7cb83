namespace Ssti.Store.Files;

/// <summary>
/// The part of a store's folder that belongs to this machine's runs: <c>runs/</c> for journals and logs, <c>work/</c> for stages at work,
/// <c>locks/</c> so that a key is executed once whoever asks.
/// </summary>
public sealed class Workspace(string root)
{
    private const string OutputPrefix = "out-";
    private bool _shares;

    /// <summary>The folder.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Where runs keep their journals and logs.</summary>
    public string Runs => Path.Combine(Root, "runs");

    /// <summary>Where the last runs of each pipeline's stages are noted.</summary>
    public string History => Path.Combine(Root, "history");

    /// <summary>The folder of a stage at work.</summary>
    public string WorkOf(Digest key) => Path.Combine(Root, "work", key.ToString());

    /// <summary>Waits until this process alone works on a key.</summary>
    public async Task<FileLock> LockAsync(Digest key, Action? waiting, CancellationToken cancellation)
    {
        try
        {
            Share();
            return await FileLock.TakeAsync(Path.Combine(Root, "locks", key.ToString()), waiting, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Explain(Root, e);
        }
    }

    /// <summary>Says that a run is using the store, so that nothing is collected under it; null while a collection is going on.</summary>
    public FileLock? TryUse() => Guarded(() => StoreFolder.Briefly(Root, () => FileLock.TryTakeShared(Path.Combine(Root, "locks", "use"))));

    /// <summary>Takes the store for oneself, to delete from it; null while any run uses it.</summary>
    public FileLock? TryOwn() => Guarded(() =>
    {
        Share();
        return FileLock.TryTakeAlone(Path.Combine(Root, "locks", "use"));
    });

    /// <summary>Makes the folder unless it is there. From here on, what this process makes is for all who may write in the folder.</summary>
    public void Share()
    {
        if (_shares) return;
        Guarded(() =>
        {
            StoreFolder.Make(Root);
            return 0;
        });
        _shares = true;
    }

    /// <summary>
    /// Makes the folders of a stage: an empty one for its output (what dead attempts left is removed) and a <c>scratch</c> that keeps a dead
    /// attempt's checkpoints. Call it with the key's lock held.
    /// </summary>
    /// <remarks>
    /// No attempt has the output folder of another: a stage that did not stop when its time was over may still be writing, and what it writes must not
    /// come among the files of its successor.
    /// </remarks>
    public (string Output, string Scratch) Prepare(Digest key) => Guarded(() =>
    {
        var output = Path.Combine(WorkOf(key), OutputPrefix + Guid.NewGuid().ToString("n")[..8]);
        var scratch = Path.Combine(WorkOf(key), "scratch");
        Share();
        DeleteOutputs(key);
        Directory.CreateDirectory(output);
        Directory.CreateDirectory(scratch);
        return (output, scratch);
    });

    /// <summary>
    /// Removes what dead attempts left under <c>work/</c>: all of a key that has been recorded since, of another its half-made output (checkpoints stay).
    /// Keys that somebody is at work on are passed over, as their locks say.
    /// </summary>
    /// <param name="isRecorded">Whether a key has a usable record.</param>
    public async Task SweepAsync(Func<Digest, Task<bool>> isRecorded)
    {
        Share();
        var work = Path.Combine(Root, "work");
        if (!Directory.Exists(work)) return;
        foreach (var folder in Directory.GetDirectories(work))
        {
            if (!Digest.TryParse(Path.GetFileName(folder), out var key)) continue;
            FileLock? held;
            try
            {
                held = Guarded(() => FileLock.TryTake(Path.Combine(Root, "locks", key.ToString())));
            }
            catch (StoreException e) when (StoreErrors.IsReadOnly(e))
            {
                // Nothing can be swept here. Whether anything has to be written is seen later.
                return;
            }

            using (held)
                if (held is not null) Clean(key, keepScratch: !await isRecorded(key).ConfigureAwait(false));
        }
    }

    /// <summary>Removes a stage's folder. With <paramref name="keepScratch"/>, its checkpoints stay for the next attempt.</summary>
    public void Clean(Digest key, bool keepScratch) => Guarded(() =>
    {
        var scratch = Path.Combine(WorkOf(key), "scratch");
        if (keepScratch && Directory.Exists(scratch) && Directory.EnumerateFileSystemEntries(scratch).Any()) DeleteOutputs(key);
        else Delete(WorkOf(key));
        return 0;
    });

    /// <summary>Runs something on the workspace's files, saying in words what a failing disk means.</summary>
    public T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Explain(Root, e);
        }
    }

    private void DeleteOutputs(Digest key)
    {
        if (!Directory.Exists(WorkOf(key))) return;
        foreach (var folder in Directory.GetDirectories(WorkOf(key), OutputPrefix + "*")) Delete(folder);
    }

    private static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's, from before the store was shared: it is in nobody's way, and goes when they sweep.
        }
    }
}
