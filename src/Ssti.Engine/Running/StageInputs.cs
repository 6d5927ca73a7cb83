using System.Collections.Concurrent;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Brings the inputs of stages here, as read-only files whose content was checked: each blob once a run, however many stages read it.</summary>
internal sealed class StageInputs(IArtifactStore store)
{
    private readonly ConcurrentDictionary<Digest, bool> _checked = new();

    /// <summary>The inputs of an instance, by name.</summary>
    /// <exception cref="StoreException">A blob is missing or damaged.</exception>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<InputTree>>> FetchAsync(
        Pipeline pipeline, StageInstance instance, Func<int, Digest> trees, CancellationToken cancellation)
    {
        var inputs = new Dictionary<string, IReadOnlyList<InputTree>>();
        foreach (var input in instance.Inputs)
        {
            var list = new List<InputTree>();
            foreach (var index in input.From)
            {
                var from = pipeline.Instances[index];
                var tree = await store.TreeAsync(trees(index), cancellation).ConfigureAwait(false);
                var files = new ConcurrentDictionary<string, string>();
                await Parallel.ForEachAsync(tree.Files, cancellation, async (file, stop) =>
                    files[file.Path] = await PathAsync(from, file, stop).ConfigureAwait(false)).ConfigureAwait(false);
                var cell = input.Declaration.ReadsCells ? from.Cell : System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
                list.Add(new InputTree(from.Name, from.Kind.Name, cell, files.ToDictionary()));
            }

            inputs[input.Declaration.Name] = list;
        }

        return inputs;
    }

    private async Task<string> PathAsync(StageInstance from, TreeFile file, CancellationToken cancellation)
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
            throw new StoreException($"'{file.Path}' of '{from.Name}' cannot be used: {e.Message}", e);
        }
    }
}
