using System.IO.Compression;
using System.Text.Json.Nodes;
using Ssti.Injection.Tokens;
using Ssti.Tests;

namespace Ssti.Injection.Tests;

/// <summary>The outputs of the reference library on 82 configurations, and of CPython's random.</summary>
internal static class GoldenCases
{
    public static JsonNode[] Read(string type)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Path("golden/injection.jsonl.gz")), CompressionMode.Decompress));
        var cases = new List<JsonNode>();
        while (reader.ReadLine() is { } line)
        {
            var json = JsonNode.Parse(line)!;
            if ((string?)json["type"] == type) cases.Add(json);
        }

        return [.. cases];
    }

    public static IReadOnlyList<InjectionStepOptions> Steps(JsonNode config) =>
        (string)config["kind"]! == "composite" ? [.. config["modifiers"]!.AsArray().Select(step => Step(step!))] : [Step(config)];

    private static InjectionStepOptions Step(JsonNode config)
    {
        var kind = (string)config["kind"]!;
        return new()
        {
            Tokens = kind switch
            {
                "date" => TokenTable.Dates((int)config["year_range"]![0]!, (int)config["year_range"]![1]!),
                "list" => TokenTable.Of([.. config["items"]!.AsArray().Select(item => (string)item!)]),
                "file" or "file-generator" => TokenTable.ReadLines(SharedData.Path($"data/spurious-tokens/{(string)config["file"]!}.txt")),
                "html" => TokenTable.ReadLines(SharedData.Path("data/spurious-tokens/html_tags.txt")),
                _ => throw new InvalidOperationException(kind),
            },
            IsHtml = kind == "html",
            Level = (int?)config["level"],
            Location = Enum.Parse<InjectionLocation>((string)config["location"]!, ignoreCase: true),
            WordShare = (double?)config["token_proportion"],
            Replacement = (bool?)config["with_replacement"] ?? true,
            Seed = (long)config["seed"]!,
            TokenSeed = (long?)config["generator_seed"],
        };
    }
}
