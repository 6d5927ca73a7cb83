using System.Text;
using System.Text.Json;
using Ssti.Store.Json;

namespace Ssti.Store;

/// <summary>A file of a tree.</summary>
/// <param name="Path">Relative, with forward slashes.</param>
/// <param name="Digest">The blob.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct TreeFile(string Path, Digest Digest, long Size);

/// <summary>
/// A folder by content: relative paths with their blobs, in ordinal order. Stored as a blob of canonical JSON, so that equal folders
/// have equal digests wherever they were made. Times, permissions and empty folders are not part of it.
/// </summary>
public sealed class Tree
{
    // {"files":[],"schema":1} and {"digest":"<64 digits>","path":,"size":}
    private const int FrameLength = 23, EntryLength = 93;
    private readonly byte[] _json;

    private Tree(TreeFile[] files, byte[] json, Digest digest) => (Files, _json, Digest) = (files, json, digest);

    /// <summary>The files, by path in ordinal order.</summary>
    public IReadOnlyList<TreeFile> Files { get; }

    /// <summary>The digest of the canonical JSON.</summary>
    public Digest Digest { get; }

    /// <summary>The canonical JSON.</summary>
    public ReadOnlyMemory<byte> Json => _json;

    /// <summary>Bytes of all files.</summary>
    public long TotalSize => Files.Sum(f => f.Size);

    /// <summary>Makes a tree of some files, in any order.</summary>
    /// <exception cref="StoreException">A path is not a plain relative one, or stands twice.</exception>
    public static Tree Of(IEnumerable<TreeFile> files)
    {
        var sorted = files.ToArray();
        Array.Sort(sorted, (a, b) => string.CompareOrdinal(a.Path, b.Path));
        for (var i = 0; i < sorted.Length; i++)
        {
            Check(sorted[i].Path);
            if (i > 0 && sorted[i].Path == sorted[i - 1].Path) throw new StoreException($"the path '{sorted[i].Path}' stands twice in a tree");
        }

        var json = new StringBuilder("{\"files\":[");
        for (var i = 0; i < sorted.Length; i++)
        {
            if (i > 0) json.Append(',');
            json.Append("{\"digest\":\"").Append(sorted[i].Digest).Append("\",\"path\":");
            CanonicalJson.AppendString(json, sorted[i].Path);
            json.Append(",\"size\":").Append(sorted[i].Size).Append('}');
        }

        var bytes = Encoding.UTF8.GetBytes(json.Append("],\"schema\":1}").ToString());
        return new Tree(sorted, bytes, Digest.Of(bytes));
    }

    /// <summary>How many bytes the canonical JSON of these files has: a look-up knows by it that a tree was cut short.</summary>
    public static long SizeOf(IReadOnlyList<TreeFile> files)
    {
        long size = FrameLength + Math.Max(0, files.Count - 1);
        foreach (var file in files) size += EntryLength + CanonicalJson.LengthOf(file.Path) + Digits(file.Size);

        return size;

        static int Digits(long number)
        {
            var digits = 1;
            while ((number /= 10) > 0) digits++;
            return digits;
        }
    }

    /// <summary>Reads the canonical JSON.</summary>
    /// <exception cref="StoreException">It is not a tree.</exception>
    public static Tree Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            if (document.RootElement.GetProperty("schema").GetInt32() != 1) throw new StoreException("this tree is of a newer version of the program");
            return Of(document.RootElement.GetProperty("files").EnumerateArray().Select(f => new TreeFile(
                f.GetProperty("path").GetString()!, Digest.Parse(f.GetProperty("digest").GetString()!), f.GetProperty("size").GetInt64())));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new StoreException($"a tree is damaged: {e.Message}", e);
        }
    }

    // A tree may come from another machine: no path in it may lead out of the folder it is written to.
    private static void Check(string path)
    {
        var bad = path.Length == 0 || path.Contains('\\') || path.Contains('\0') || path.Split('/').Any(part => part is "" or "." or "..")
            || (path.Length > 1 && path[1] == ':');
        if (bad) throw new StoreException($"'{path}' is not a plain relative path");
    }
}
