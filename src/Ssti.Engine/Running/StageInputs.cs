using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Brings what a stage reads here, as files.</summary>
internal static class StageInputs
{
    /// <summary>The inputs of an order by name: read-only files.</summary>
    /// <exception cref="StoreException">A blob is missing.</exception>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<InputTree>>> FetchAsync(
        IArtifactStore store, IReadOnlyList<OrderInput> wanted, CancellationToken cancellation)
    {
        var inputs = new Dictionary<string, IReadOnlyList<InputTree>>();
        foreach (var input in wanted)
        {
            var list = new List<InputTree>();
            foreach (var from in input.Trees)
            {
                var tree = await store.TreeAsync(from.Tree, cancellation).ConfigureAwait(false);
                var files = new Dictionary<string, string>();
                foreach (var file in tree.Files) files[file.Path] = await store.LocalPathAsync(file.Digest, cancellation).ConfigureAwait(false);
                list.Add(new InputTree(from.Stage, from.Uses, from.Cell, files));
            }

            inputs[input.Name] = list;
        }

        return inputs;
    }

    /// <summary>Copies sources out of the store to where their parameters expect them. What is there already is complete, and stays.</summary>
    /// <exception cref="StoreException">A blob is missing.</exception>
    public static async Task FetchAsync(IArtifactStore store, IReadOnlyList<OrderSource> sources, CancellationToken cancellation)
    {
        foreach (var source in sources)
        {
            if (Path.Exists(source.Path)) continue;
            var aside = source.Path + ".part";
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
            if (!source.IsFolder)
            {
                File.Copy(await store.LocalPathAsync(source.Content, cancellation).ConfigureAwait(false), aside, overwrite: true);
                File.Move(aside, source.Path);
                continue;
            }

            Directory.CreateDirectory(aside);
            await Exporter.ExportAsync(store, source.Content, aside, overwrite: true, cancellation).ConfigureAwait(false);
            Directory.Move(aside, source.Path);
        }
    }
}
