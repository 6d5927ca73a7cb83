using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Which model.</summary>
public sealed record ModelParameters
{
    /// <summary>A local folder, or <c>hf://owner/name[@revision]</c>.</summary>
    [Description("a local folder, or hf://owner/name or hf://owner/name@revision on the Hugging Face Hub")]
    public required SourcePath Source { get; init; }

    /// <summary>What tables call it.</summary>
    [Description("what tables call it; by default owner/name, and 'sha256:' with the first digits of the weights' digest for a local folder")]
    public string? Name { get; init; }
}

/// <summary>
/// Fetches a pretrained model: <c>config.json</c>, safetensors (with their index when sharded), the tokenizer's files, and
/// <c>source.json</c> (<c>name</c>, <c>source</c>, <c>revision</c>).
/// </summary>
/// <param name="hub">How to reach the Hub; null: without a token, its cache in the stage's scratch folder.</param>
public sealed class ModelStage(HubOptions? hub = null) : StageKind<ModelParameters>
{
    /// <summary>The file that says where the model came from.</summary>
    public const string SourceFile = "source.json";

    private const string Weights = "model.safetensors", Index = "model.safetensors.index.json";
    private static readonly string[] Tokenizers = ["vocab.txt", "tokenizer.json", "tokenizer.model"];
    private static readonly string[] Besides = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"];

    /// <inheritdoc/>
    public override string Name => "model";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Fetches a pretrained model from the Hugging Face Hub or a local folder.";

    /// <inheritdoc/>
    public override bool UsesSeed(ModelParameters parameters) => false;

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ModelParameters parameters)
    {
        if (HubSource.Problem(parameters.Source, HubKind.Model) is { } problem) yield return new("source", problem);
        if (parameters.Name is { } name && string.IsNullOrWhiteSpace(name)) yield return new("name", "is empty; leave it out, or name the model");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(ModelParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            using var source = await HubSource.OpenAsync(parameters.Source, HubKind.Model, hub, context, cancellation);
            var weights = await WeightsAsync(source.Folder, cancellation);
            string[] files = ["config.json", .. weights.Index is null ? [] : new[] { weights.Index }, .. weights.Files, .. Tokenizers.Concat(Besides).Where(source.Folder.Files.Contains)];
            for (var done = 0; done < files.Length; done++)
            {
                context.Progress(new(done, files.Length, "files", files[done]));
                var path = await source.Folder.FetchAsync(files[done], cancellation);
                await CopyAsync(path, context.Output(files[done]), cancellation);
            }

            RequireJson(context.Output("config.json"), source.Folder.Title);
            var digest = WeightsDigest(weights.Files.Select(context.Output));
            var name = parameters.Name ?? source.Repository?.Id ?? $"sha256:{digest[..12]}";
            var described = source.Folder.Describe();
            var json = new JsonObject
            {
                ["name"] = name, ["source"] = described["source"]?.DeepClone(), ["revision"] = described["revision"]?.DeepClone(), ["weights-sha256"] = digest,
            };
            await File.WriteAllTextAsync(context.Output(SourceFile), json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n", cancellation);
            context.Log($"{name}: {string.Join(", ", files)}");
            context.Metrics["name"] = name;
            if (json["revision"] is { } revision) context.Metrics["revision"] = revision.DeepClone();
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    // Only files at the top: repositories keep other renderings (ONNX, pooling layers) in folders.
    private static async Task<(string? Index, IReadOnlyList<string> Files)> WeightsAsync(SourceFolder folder, CancellationToken cancellation)
    {
        var here = folder.Files.Where(file => !file.Contains('/')).ToList();
        if (!here.Contains("config.json")) throw Lacks("config.json");
        if (!Tokenizers.Any(here.Contains)) throw Lacks($"tokenizer ({string.Join(", ", Tokenizers)})");
        if (here.Contains(Weights)) return (null, [Weights]);
        if (!here.Contains(Index)) throw Lacks($"{Weights} or {Index}; weights in other formats must be converted to safetensors first");
        try
        {
            var index = JsonNode.Parse(await File.ReadAllBytesAsync(await folder.FetchAsync(Index, cancellation), cancellation));
            var shards = index!["weight_map"]!.AsObject().Select(pair => (string)pair.Value!).Distinct().Order(StringComparer.Ordinal).ToArray();
            return Array.Find(shards, shard => !here.Contains(shard)) is { } missing ? throw Lacks($"{missing}, which {Index} names") : (Index, shards);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new CorpusException($"{folder.Title}: {Index} is not an index of shards: {error.Message}", error);
        }

        CorpusException Lacks(string what) => new($"{folder.Title} has no {what}; it has: {(here.Count == 0 ? "no files" : string.Join(", ", here.Take(20)))}");
    }

    private static void RequireJson(string path, string title)
    {
        try
        {
            if (JsonNode.Parse(File.ReadAllBytes(path)) is not JsonObject) throw new JsonException("it is no object");
        }
        catch (JsonException error)
        {
            throw new CorpusException($"{title}: config.json is not JSON: {error.Message}", error);
        }
    }

    // Of one file its SHA-256; of shards that of their digests, a line each.
    private static string WeightsDigest(IEnumerable<string> paths)
    {
        var digests = paths.Select(path =>
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }).ToArray();
        return digests is [var only] ? only : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(digests.Select(digest => digest + "\n")))));
    }

    // Not File.Copy, which would carry a read-only mode over.
    private static async Task CopyAsync(string from, string to, CancellationToken cancellation)
    {
        await using var input = File.OpenRead(from);
        await using var output = File.Create(to);
        await input.CopyToAsync(output, 1 << 20, cancellation);
    }
}
