namespace Ssti.Store.Files;

/// <summary>Walks through a folder as programs that read it will: links to folders are followed.</summary>
public static class FolderWalk
{
    /// <summary>Every file and folder below a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="once">
    /// Whether a folder that several links lead to is entered once only: for looking at what there is. Otherwise each way to it counts.
    /// </param>
    /// <exception cref="IOException">A link leads back to a folder that it lies in, so that there is no end; or a folder cannot be read.</exception>
    public static IEnumerable<FileSystemInfo> Entries(string folder, bool once = false)
    {
        var at = new DirectoryInfo(folder);
        return Below(at, [RealPath(at.FullName)], once);
    }

    /// <summary>The path with all links on it followed; the path itself where there is nothing.</summary>
    public static string RealPath(string path) => Native.RealPath(path) ?? path;

    private static IEnumerable<FileSystemInfo> Below(DirectoryInfo folder, HashSet<string> entered, bool once)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = once }))
        {
            yield return entry;
            if (entry is not DirectoryInfo child) continue;
            var real = RealPath(child.FullName);
            if (!entered.Add(real))
            {
                if (once) continue;
                throw new IOException($"'{child.FullName}' is a link that leads back to a folder it lies in");
            }

            foreach (var further in Below(child, entered, once)) yield return further;
            if (!once) entered.Remove(real);
        }
    }
}
