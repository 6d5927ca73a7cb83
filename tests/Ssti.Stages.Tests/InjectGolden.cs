using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>The configurations the reference library was run on, as parameters of an inject stage.</summary>
internal static class InjectGolden
{
    /// <summary>The 64 modifiers and 18 transforms.</summary>
    public static JsonNode[] Cases()
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Path("golden/injection.jsonl.gz")), CompressionMode.Decompress));
        var cases = new List<JsonNode>();
        while (reader.ReadLine() is { } line)
        {
            var json = JsonNode.Parse(line)!;
            if ((string?)json["type"] is "modifier" or "transform") cases.Add(json);
        }

        return [.. cases];
    }

    /// <summary>What stands under <c>with:</c> for a case; a modifier is applied to every row.</summary>
    /// <param name="example">The case.</param>
    /// <param name="lists">The folder of token files, as a pipeline would write it.</param>
    public static JsonObject With(JsonNode example, string lists)
    {
        var config = example["config"]!;
        var with = (string)config["kind"]! == "composite"
            ? new JsonObject { ["in-turn"] = new JsonArray([.. config["modifiers"]!.AsArray().Select(step => Step(step!, lists))]) }
            : Step(config, lists);
        var transform = (string)example["type"]! == "transform";
        with["target-label"] = transform ? example["label"]!.ToString() : "all";
        with["protocol"] = "published";
        if (!transform) return with;
        with["proportion"] = example["text_proportion"]!.DeepClone();
        with["row-seed"] = example["seed"]!.DeepClone();
        return with;
    }

    /// <summary>The parameters of a mapping under <c>with:</c>.</summary>
    public static InjectParameters Bind(JsonObject with) => with.Deserialize<InjectParameters>(Options)!;

    /// <summary>Writes a case's input as a dataset of one split, <c>train</c>.</summary>
    public static void WriteInput(JsonNode example, string folder)
    {
        using var writer = new DatasetWriter(folder, "imdb", ["neg", "pos"]);
        using (var split = writer.OpenSplit("train"))
            foreach (var row in example["input"]!.AsArray()) split.Write(new(row!["id"]!.ToString(), (string)row["text"]!, (int)row["label"]!));
        writer.Complete([]);
    }

    /// <summary>The ids and texts a case must give, in order.</summary>
    public static IEnumerable<(string Id, string Text)> Expected(JsonNode example) => (string)example["type"]! == "transform"
        ? example["output"]!.AsArray().Select(row => (row!["id"]!.ToString(), (string)row["text"]!))
        : example["input"]!.AsArray().Zip(example["output"]!.AsArray(), (row, text) => (row!["id"]!.ToString(), (string)text!));

    private static JsonObject Step(JsonNode config, string lists)
    {
        var kind = (string)config["kind"]!;
        var step = new JsonObject { ["tokens"] = kind == "file-generator" ? "file" : kind, ["location"] = config["location"]!.DeepClone(), ["seed"] = config["seed"]!.DeepClone() };
        if (config["token_proportion"] is { } share) step["word-share"] = share.DeepClone();
        if (config["year_range"] is { } years) (step["from"], step["to"]) = (years[0]!.DeepClone(), years[1]!.DeepClone());
        if (config["items"] is { } items) step["items"] = items.DeepClone();
        if (kind == "html") step["file"] = $"{lists}/html_tags.txt";
        else if (config["file"] is { } file) step["file"] = $"{lists}/{(string)file!}.txt";
        if (config["level"] is { } level) step["level"] = level.DeepClone();
        if (config["generator_seed"] is { } tokenSeed) step["token-seed"] = tokenSeed.DeepClone();
        if (config["with_replacement"] is { } replacement) step["replacement"] = replacement.DeepClone();
        return step;
    }

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false), new SourceConverter() },
    };

    private sealed class SourceConverter : JsonConverter<SourcePath>
    {
        public override SourcePath Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => StageRun.Local(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, SourcePath value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
    }
}
