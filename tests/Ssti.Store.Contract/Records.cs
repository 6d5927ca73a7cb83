using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Tests;

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

    /// <summary>A record of such a key, whose outputs are named by a text.</summary>
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
        Finished = DateTimeOffset.UnixEpoch.AddSeconds(2),
        Durations = new ActionDurations(0, 0, 1.5, 0.5),
        Metrics = new JsonObject { ["made"] = outputs },
    };

    private static TreeFile[] FilesOf(string outputs) => [new TreeFile("out.txt", Digest.Of(outputs + " file"), 8)];
}
