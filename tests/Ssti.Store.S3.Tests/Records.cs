using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssti.Store.Json;

namespace Ssti.Store.S3.Tests;

/// <summary>Records as they must be to be believed: the key is their document's digest, the tree that of their files.</summary>
internal static class Records
{
    private static readonly ConcurrentDictionary<Digest, JsonObject> Documents = [];

    /// <summary>The key of an action that a text names.</summary>
    public static Digest Key(string text)
    {
        var document = new JsonObject { ["kind"] = "test", ["text"] = text };
        var key = CanonicalJson.Digest(document);
        Documents[key] = document;
        return key;
    }

    /// <summary>The tree of outputs that a text names.</summary>
    public static Digest TreeOf(string outputs) => Tree.Of(FilesOf(outputs)).Digest;

    public static ActionRecord Make(Digest key, string outputs) => new()
    {
        Key = key,
        Tree = TreeOf(outputs),
        Files = FilesOf(outputs),
        Document = Documents[key].DeepClone().AsObject(),
        Pipeline = "p",
        Stage = "s",
        Run = "r",
        Started = DateTimeOffset.UnixEpoch,
        Finished = DateTimeOffset.UnixEpoch,
        Durations = new ActionDurations(0, 0, 1.5, 0.5),
    };

    private static TreeFile[] FilesOf(string outputs) => [new TreeFile("out.txt", Digest.Of(outputs + " file"), 8)];

    public static byte[] Bytes(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
