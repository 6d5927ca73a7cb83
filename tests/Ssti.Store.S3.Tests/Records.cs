using System.Text.Json.Nodes;

namespace Ssti.Store.S3.Tests;

internal static class Records
{
    public static ActionRecord Make(Digest key, string outputs) => new()
    {
        Key = key,
        Tree = Digest.Of(outputs),
        Files = [new TreeFile("out.txt", Digest.Of(outputs + " file"), 8)],
        Document = new JsonObject { ["kind"] = "test" },
        Pipeline = "p",
        Stage = "s",
        Run = "r",
        Started = DateTimeOffset.UnixEpoch,
        Finished = DateTimeOffset.UnixEpoch,
        Durations = new ActionDurations(0, 0, 1.5, 0.5),
    };

    public static byte[] Bytes(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
