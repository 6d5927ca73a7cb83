namespace Ssti.Store.Files;

/// <summary>Takes a folder's files into a file store: hashed in parallel, renamed instead of copied, made durable in one go.</summary>
internal sealed class FolderIngestion(FileStore store, string temporary)
{
    // A flush a file is cheaper for a few files, one flush of the whole file system for many.
    private const int FlushTogetherFrom = 64;

    public Tree Take(string folder, CancellationToken cancellation)
    {
        var root = Path.GetFullPath(folder);
        var files = List(root);
        var entries = new TreeFile[files.Count];
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        var together = files.Count >= FlushTogetherFrom && Native.FlushFileSystem(root);
        Parallel.For(0, files.Count, options, i =>
        {
            if (!together) Flush(files[i]);
            var info = FileHash.Of(files[i]);
            entries[i] = new TreeFile(Path.GetRelativePath(root, files[i]).Replace('\\', '/'), info.Digest, info.Size);
        });

        var tree = Tree.Of(entries);
        var renamable = root.StartsWith(store.Location + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        Parallel.For(0, files.Count, options, i => store.Adopt(renamable ? files[i] : CopyAside(files[i]), entries[i].Digest));
        if (!together || !Native.FlushFileSystem(root))
            foreach (var parent in entries.Select(e => Path.GetDirectoryName(store.PathOf(e.Digest))!).Distinct()) Native.FlushFolder(parent);
        return tree;
    }

    private static List<string> List(string root)
    {
        var files = new List<string>();
        foreach (var entry in new DirectoryInfo(root).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            if (entry.LinkTarget is not null)
                throw new StoreException($"the output '{Path.GetRelativePath(root, entry.FullName)}' is a link: an output must be a plain file");
            if (entry is FileInfo) files.Add(entry.FullName);
        }

        return files;
    }

    private static void Flush(string file)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(handle);
    }

    // From another file system a rename is impossible, and a copy straight to its name would not be atomic.
    private string CopyAside(string file)
    {
        var aside = Path.Combine(temporary, Guid.NewGuid().ToString("n"));
        File.Move(file, aside);
        Flush(aside);
        return aside;
    }
}
