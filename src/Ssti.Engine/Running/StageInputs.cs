using System.Collections.Concurrent;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>The output of another stage is damaged or missing: that stage has to be executed again before anything that needs it.</summary>
internal sealed class LostInputException(string stage, string message, Exception inner) : Exception(message, inner)
{
    /// <summary>The stage that made it.</summary>
    public string Stage { get; } = stage;
}

/// <summary>Brings what stages read here, as files whose content was checked: each blob once, however many stages read it.</summary>
internal sealed class StageInputs(IArtifactStore store)
{
    private readonly ConcurrentDictionary<Digest, bool> _checked = new();

    /// <summary>The inputs of an order by name: read-only files.</summary>
    /// <exception cref="LostInputException">A blob is missing or damaged.</exception>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<InputTree>>> FetchAsync(IReadOnlyList<OrderInput> wanted, CancellationToken cancellation)
    {
        var inputs = new Dictionary<string, IReadOnlyList<InputTree>>();
        foreach (var input in wanted)
        {
            var list = new List<InputTree>();
            foreach (var from in input.Trees)
            {
                var tree = await TreeAsync(from, cancellation).ConfigureAwait(false);
                var files = new ConcurrentDictionary<string, string>();
                await Parallel.ForEachAsync(tree.Files, cancellation, async (file, stop) =>
                    files[file.Path] = await PathAsync(from, file, stop).ConfigureAwait(false)).ConfigureAwait(false);
                list.Add(new InputTree(from.Stage, from.Uses, from.Cell, files.ToDictionary()));
            }

            inputs[input.Name] = list;
        }

        return inputs;
    }

    /// <summary>Copies sources out of the store to where their parameters expect them. What is there already is complete, and stays.</summary>
    /// <exception cref="StoreException">A blob is missing.</exception>
    public async Task FetchAsync(IReadOnlyList<OrderSource> sources, CancellationToken cancellation)
    {
        foreach (var source in sources)
        {
            if (Path.Exists(source.Path)) continue;
            var aside = source.Path + ".part";
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
            if (!source.IsFolder)
            {
                File.Copy(await store.CheckedPathAsync(source.Content, cancellation).ConfigureAwait(false), aside, overwrite: true);
                File.Move(aside, source.Path);
                continue;
            }

            Directory.CreateDirectory(aside);
            await Exporter.ExportAsync(store, source.Content, aside, overwrite: true, cancellation).ConfigureAwait(false);
            Directory.Move(aside, source.Path);
        }
    }

    private async Task<string> PathAsync(OrderTree from, TreeFile file, CancellationToken cancellation)
    {
        if (_checked.ContainsKey(file.Digest)) return await store.LocalPathAsync(file.Digest, cancellation).ConfigureAwait(false);
        try
        {
            var path = await store.CheckedPathAsync(file.Digest, cancellation).ConfigureAwait(false);
            _checked.TryAdd(file.Digest, true);
            return path;
        }
        catch (StoreException e)
        {
            throw await LostAsync(file.Digest, from, $"'{file.Path}' of '{from.Stage}'", e).ConfigureAwait(false);
        }
    }

    private async Task<Tree> TreeAsync(OrderTree from, CancellationToken cancellation)
    {
        try
        {
            return await store.TreeAsync(from.Tree, cancellation).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            throw await LostAsync(from.Tree, from, $"the list of files of '{from.Stage}'", e).ConfigureAwait(false);
        }
    }

    // What is damaged was put aside, so that there is none; a store that only does not answer says so here again.
    private async Task<Exception> LostAsync(Digest blob, OrderTree from, string what, StoreException error)
    {
        var message = $"{what} cannot be used: {error.Message}";
        return (await store.SizesAsync([blob], CancellationToken.None).ConfigureAwait(false))[0] < 0
            ? new LostInputException(from.Stage, message, error) : new StoreException(message, error);
    }
}
