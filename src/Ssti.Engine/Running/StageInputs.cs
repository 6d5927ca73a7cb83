using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Brings the inputs of a stage here, as read-only files.</summary>
internal static class StageInputs
{
    /// <summary>The inputs of an instance, by name.</summary>
    /// <exception cref="StoreException">A blob is missing.</exception>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<InputTree>>> FetchAsync(
        IArtifactStore store, Pipeline pipeline, StageInstance instance, Func<int, Digest> trees, CancellationToken cancellation)
    {
        var inputs = new Dictionary<string, IReadOnlyList<InputTree>>();
        foreach (var input in instance.Inputs)
        {
            var list = new List<InputTree>();
            foreach (var index in input.From)
            {
                var from = pipeline.Instances[index];
                var tree = await store.TreeAsync(trees(index), cancellation).ConfigureAwait(false);
                var files = new Dictionary<string, string>();
                foreach (var file in tree.Files) files[file.Path] = await store.LocalPathAsync(file.Digest, cancellation).ConfigureAwait(false);
                var cell = input.Declaration.ReadsCells ? from.Cell : System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
                list.Add(new InputTree(from.Name, from.Kind.Name, cell, files));
            }

            inputs[input.Declaration.Name] = list;
        }

        return inputs;
    }
}
