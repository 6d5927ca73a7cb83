using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Writes the outputs of stages as plain files: all of them, or none.</summary>
public static class Exporter
{
    /// <summary>Copies every file of a tree into a folder, which is made. Returns how many.</summary>
    /// <param name="store">Where the tree is.</param>
    /// <param name="tree">The tree.</param>
    /// <param name="folder">The folder; files of the same name in it are refused unless <paramref name="overwrite"/>.</param>
    /// <param name="overwrite">Whether to replace files.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">A blob is missing or damaged, a file is in the way, or the folder cannot be written.</exception>
    public static async Task<int> ExportAsync(IArtifactStore store, Digest tree, string folder, bool overwrite, CancellationToken cancellation = default) =>
        (await ExportAsync(store, [(tree, "")], folder, overwrite, cancellation).ConfigureAwait(false))[0];

    /// <summary>Copies several trees into folders of one folder, which is made. Returns how many files each has.</summary>
    /// <remarks>
    /// They are written aside and renamed when all are whole: whatever fails, or who interrupts it, leaves the folder as it was, and no file in it is ever
    /// half of an old and half of a new one.
    /// </remarks>
    /// <param name="store">Where the trees are.</param>
    /// <param name="outputs">Each tree, and the folder below <paramref name="folder"/> for it; empty for the folder itself.</param>
    /// <param name="folder">The folder; files of the same name in it are refused unless <paramref name="overwrite"/>.</param>
    /// <param name="overwrite">Whether to replace files.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">A blob is missing or damaged, a file is in the way, or the folder cannot be written.</exception>
    public static async Task<IReadOnlyList<int>> ExportAsync(
        IArtifactStore store, IReadOnlyList<(Digest Tree, string Folder)> outputs, string folder, bool overwrite, CancellationToken cancellation = default)
    {
        var root = Path.GetFullPath(folder);
        var counts = new List<int>();
        var files = new List<(string Path, Digest Digest)>();
        foreach (var (digest, below) in outputs)
        {
            var tree = await store.TreeAsync(digest, cancellation).ConfigureAwait(false);
            counts.Add(tree.Files.Count);
            files.AddRange(tree.Files.Select(file => (Path.Combine(below, file.Path), file.Digest)));
        }

        if (files.Select(file => InTheWay(root, file.Path, overwrite)).FirstOrDefault(path => path is not null) is { } taken)
            throw new StoreException($"'{taken}' is in the way; choose another folder{(overwrite || Directory.Exists(taken) ? "" : ", or allow overwriting")}");
        // Beside the folder, or in it when it is there: what is renamed must be on the same disk.
        var beside = new DirectoryInfo(root);
        while (!beside.Exists) beside = beside.Parent ?? throw new StoreException($"cannot export to {root}: there is no such disk");
        var aside = Path.Combine(beside.FullName, $".ssti-export-{Guid.NewGuid().ToString("n")[..8]}");
        try
        {
            Directory.CreateDirectory(aside);
            await Parallel.ForEachAsync(files, cancellation, async (file, stop) =>
            {
                var path = Path.Combine(aside, file.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var from = File.OpenRead(await store.CheckedPathAsync(file.Digest, stop).ConfigureAwait(false));
                await using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
                await from.CopyToAsync(to, 256 * 1024, stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
            if (Directory.Exists(root)) MoveInto(aside, root, files);
            else MoveTo(aside, root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"cannot export to {root}: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        }

        return counts;
    }

    // What stands where a file is to be: it, or a file where one of its folders is to be. A folder is never replaced by a file.
    private static string? InTheWay(string root, string file, bool overwrite)
    {
        var path = Path.Combine(root, file);
        if (Directory.Exists(path) || (File.Exists(path) && !overwrite)) return path;
        for (var folder = Path.GetDirectoryName(path)!; folder.Length >= root.Length; folder = Path.GetDirectoryName(folder)!)
        {
            if (File.Exists(folder)) return folder;
            if (Path.GetDirectoryName(folder) is null) break;
        }

        return null;
    }

    private static void MoveTo(string aside, string root)
    {
        if (Path.GetDirectoryName(root) is { } parent) Directory.CreateDirectory(parent);
        Directory.Move(aside, root);
    }

    private static void MoveInto(string aside, string root, IEnumerable<(string Path, Digest Digest)> files)
    {
        foreach (var (file, _) in files)
        {
            var path = Path.Combine(root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Move(Path.Combine(aside, file), path, overwrite: true);
        }
    }
}
