using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
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

    /// <summary>A stage named <paramref name="name"/> with those parameters, as YAML under <c>stages:</c>.</summary>
    public static string Yaml(string name, JsonObject with)
    {
        var yaml = new StringBuilder($"  {name}:\n    uses: inject\n    needs: {{ data: data }}\n    with:\n");
        foreach (var (key, value) in with)
        {
            if (key != "in-turn")
            {
                yaml.Append($"      {key}: {Plain(value)}\n");
                continue;
            }

            yaml.Append("      in-turn:\n");
            foreach (var step in value!.AsArray())
                yaml.Append("        - " + string.Join("\n          ", step!.AsObject().Select(pair => $"{pair.Key}: {Plain(pair.Value)}")) + "\n");
        }

        return yaml.ToString();

        // Words as people write them, without quotes; anything else as JSON, which YAML reads alike.
        static string Plain(JsonNode? value) =>
            value is JsonValue text && text.TryGetValue<string>(out var word)
                && word.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '/' or '.')
            ? word
            : value?.ToJsonString() ?? "null";
    }

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
}
