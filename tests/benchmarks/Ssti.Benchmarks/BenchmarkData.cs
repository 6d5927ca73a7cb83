using System.IO.Compression;
using System.Text.Json;
using Ssti.Tests;

namespace Ssti.Benchmarks;

/// <summary>The real data that benchmarks run on.</summary>
internal static class BenchmarkData
{
    /// <summary>Rows of IMDB's training split.</summary>
    public const int ImdbRows = 25_000;

    private static readonly string Root = Environment.GetEnvironmentVariable("SSTI_SHARED") is { Length: > 0 } named
        ? named
        : System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Repository.Root)!, "shared");

    /// <summary>The path of a file of the shared data.</summary>
    public static string Path(string relative)
    {
        var path = System.IO.Path.Combine(Root, relative);
        return File.Exists(path) ? path : throw new FileNotFoundException($"benchmarks read {path}: set SSTI_SHARED to the folder of the shared data");
    }

    /// <summary>IMDB's training split: id, text and label of 25,000 reviews.</summary>
    public static (string Id, string Text, int Label)[] ImdbTrain()
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path("data/imdb/train.jsonl.gz")), CompressionMode.Decompress));
        var rows = new List<(string, string, int)>(ImdbRows);
        while (reader.ReadLine() is { } line)
        {
            using var json = JsonDocument.Parse(line);
            var row = json.RootElement;
            rows.Add((row.GetProperty("id").GetRawText(), row.GetProperty("text").GetString()!, row.GetProperty("label").GetInt32()));
        }

        return rows.Count == ImdbRows ? [.. rows] : throw new InvalidDataException($"IMDB's training split has {ImdbRows} rows, this file {rows.Count}");
    }
}
