using System.IO.Compression;
using System.Text.Json;
using Ssti.Tests;

namespace Ssti.Nets.Tests.Tokenizers;

/// <summary>Texts with the ids that the reference programs give them.</summary>
internal static class References
{
    /// <summary>How many there are.</summary>
    public const int Count = 220;

    /// <summary>Reads them.</summary>
    /// <param name="tokenizer">bert, llama2 (without a token in front) or llama3.</param>
    public static IEnumerable<(string Text, int[] Ids)> Of(string tokenizer)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Path("golden/tokenizers.jsonl.gz")), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using var row = JsonDocument.Parse(line);
            yield return (row.RootElement.GetProperty("text").GetString()!, [.. row.RootElement.GetProperty(tokenizer).EnumerateArray().Select(id => id.GetInt32())]);
        }
    }
}
