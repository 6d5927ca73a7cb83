namespace Ssti.Store.Files;

/// <summary>The blobs of a <see cref="FileStore"/>: <c>cas/ab/&lt;sha256&gt;</c>, read-only files that are named once they are whole.</summary>
/// <param name="folder">The folder <c>cas</c>.</param>
internal sealed class BlobFolder(string folder)
{
    private static readonly string Separator = Path.DirectorySeparatorChar.ToString();
    private readonly string _prefix = folder + Separator;

    /// <summary>Where a blob lies, whether it is there or not.</summary>
    public string PathOf(Digest blob)
    {
        var name = blob.ToString();
        return string.Concat(_prefix, name.AsSpan(0, 2), Separator, name);
    }

    /// <summary>Its bytes, or -1 where there is none.</summary>
    public long SizeOf(Digest blob)
    {
        var info = new FileInfo(PathOf(blob));
        return info.Exists ? info.Length : -1;
    }

    /// <summary>What its bytes hash to now; null where they cannot be read: a bad sector, or no such file.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public Digest? Rehash(Digest blob)
    {
        try
        {
            return FileHash.Of(PathOf(blob)).Digest;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>All there are.</summary>
    public IEnumerable<StoredBlob> All()
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (var part in Directory.EnumerateDirectories(folder))
            foreach (var file in new DirectoryInfo(part).EnumerateFiles())
                if (Digest.TryParse(file.Name, out var digest)) yield return new StoredBlob(digest, file.Length, file.LastWriteTimeUtc);
    }

    /// <summary>Moves a finished file to its name. An existing one is replaced: it has the same content, or is damaged.</summary>
    public void Adopt(string file, Digest digest)
    {
        var path = PathOf(digest);
        var part = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(part))
        {
            Directory.CreateDirectory(part);
            // The callers flush the folder itself; its own name has to survive as well.
            Native.FlushFolder(folder);
        }

        MakeReadOnly(file);
        if (OperatingSystem.IsWindows() && File.Exists(path)) Unlink(path);
        File.Move(file, path, overwrite: true);
    }

    /// <summary>Deletes a read-only file, which Windows refuses until it is writable.</summary>
    public static void Unlink(string path)
    {
        if (OperatingSystem.IsWindows()) File.SetAttributes(path, FileAttributes.Normal);
        File.Delete(path);
    }

    private static void MakeReadOnly(string file)
    {
        if (OperatingSystem.IsWindows()) File.SetAttributes(file, FileAttributes.ReadOnly);
        else File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }
}
