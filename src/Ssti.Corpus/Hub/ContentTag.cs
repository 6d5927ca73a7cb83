using System.Security.Cryptography;
using System.Text;

namespace Ssti.Corpus.Hub;

/// <summary>The tag by which the Hub names a file's content: the SHA-256 of a large file (LFS), else the id of its Git blob.</summary>
internal static class ContentTag
{
    /// <summary>What is wrong with a file's content, or null. A tag of another kind, as some mirrors send, cannot be checked.</summary>
    public static string? Problem(string path, string tag)
    {
        if (tag.Length is not (40 or 64) || tag.AsSpan().ContainsAnyExcept("0123456789abcdef")) return null;
        using var stream = File.OpenRead(path);
        if (tag.Length == 64)
            return Convert.ToHexStringLower(SHA256.HashData(stream)) is var sha256 && sha256 == tag ? null : $"has the SHA-256 {sha256}, not {tag}";
        using var git = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        git.AppendData(Encoding.ASCII.GetBytes($"blob {stream.Length}\0"));
        var buffer = new byte[1 << 16];
        int read;
        while ((read = stream.Read(buffer)) > 0) git.AppendData(buffer.AsSpan(0, read));
        return Convert.ToHexStringLower(git.GetHashAndReset()) is var blob && blob == tag ? null : $"has the Git id {blob}, not {tag}";
    }
}
