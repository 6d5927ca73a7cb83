using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Writes the outputs of a stage as plain files.</summary>
public static class Exporter
{
    /// <summary>Copies every file of a tree into a folder, which is made. Returns how many.</summary>
    /// <param name="store">Where the tree is.</param>
    /// <param name="tree">The tree.</param>
    /// <param name="folder">The folder; files of the same name in it are refused unless <paramref name="overwrite"/>.</param>
    /// <param name="overwrite">Whether to replace files.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">A blob is missing or damaged, a file is in the way, or the folder cannot be written.</exception>
    public static async Task<int> ExportAsync(IArtifactStore store, Digest tree, string folder, bool overwrite, CancellationToken cancellation = default)
    {
        var root = Path.GetFullPath(folder);
        var files = (await store.TreeAsync(tree, cancellation).ConfigureAwait(false)).Files;
        if (!overwrite && files.Select(f => f.Path).FirstOrDefault(p => Path.Exists(Path.Combine(root, p))) is { } taken)
            throw new StoreException($"'{Path.Combine(root, taken)}' is in the way; choose another folder, or allow overwriting");
        try
        {
            Directory.CreateDirectory(root);
            await Parallel.ForEachAsync(files, cancellation, async (file, stop) =>
            {
                var path = Path.Combine(root, file.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var from = File.OpenRead(await store.CheckedPathAsync(file.Digest, stop).ConfigureAwait(false));
                await using var to = new FileStream(path, overwrite ? FileMode.Create : FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
                await from.CopyToAsync(to, 256 * 1024, stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"cannot export to {root}: {e.Message}", e);
        }

        return files.Count;
    }
}
