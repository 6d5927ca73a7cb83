using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Training;
using TorchSharp;

namespace Ssti.Stages;

/// <summary>
/// Fetches a LoRA adapter in PEFT's files and its head, and checks both against the model: what `evaluate` takes as `adapter`. The adapter's files stay as
/// they are; <c>head.safetensors</c> and <c>training.json</c> come beside them.
/// </summary>
/// <param name="hub">How to reach the Hub; null: without a token, its cache in the stage's scratch folder.</param>
public sealed class AdapterStage(HubOptions? hub = null) : StageKind<AdapterParameters>
{
    /// <inheritdoc/>
    public override string Name => "adapter";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Fetches a fine-tuned LoRA adapter (PEFT) with its classifier from the Hugging Face Hub or a local folder, for evaluate.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override bool UsesSeed(AdapterParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("model", "The pretrained encoder the adapter was trained on (uses: model or pretrain)"),
        new("data", "The dataset it was trained on, for its labels and for the tokens injected into it (uses: dataset, corpus or inject)", Required: false),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(AdapterParameters parameters)
    {
        if (SourceFiles.Problem(parameters.Source, HubKind.Model) is { } problem) yield return new("source", problem);
        if (parameters.MaxLength < 3) yield return new("max-length", "must be at least 3: [CLS], one token and [SEP]");
        if (parameters.Labels is { Count: < 2 }) yield return new("labels", "must name at least two classes, or be left out with an input 'data'");
        if (parameters.Labels?.GroupBy(label => label).FirstOrDefault(group => group.Count() > 1) is { } twice) yield return new("labels", $"names '{twice.Key}' twice");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(AdapterParameters parameters, StageContext context, CancellationToken cancellation)
    {
        string title;
        JsonObject source;
        try
        {
            using var from = await SourceFiles.OpenAsync(parameters.Source, HubKind.Model, hub, context, cancellation);
            (title, source) = (from.Folder.Title.TrimEnd('/'), from.Folder.Describe());
            foreach (var file in new[] { PeftAdapter.ConfigFile, PeftAdapter.TensorFile })
            {
                if (from.Folder.Files.Contains(file)) continue;
                var old = file == PeftAdapter.TensorFile && from.Folder.Files.Contains("adapter_model.bin");
                var advice = old ? "; load it in PEFT and save it anew, which writes safetensors" : "";
                throw new CorpusException($"{title} has no {file}; it has: {string.Join(", ", from.Folder.Files.Take(20))}{advice}");
            }

            foreach (var file in new[] { PeftAdapter.ConfigFile, PeftAdapter.TensorFile, TrainStage.HeadFile }.Where(from.Folder.Files.Contains))
                await ModelStage.CopyAsync(await from.Folder.FetchAsync(file, cancellation), context.Output(file), cancellation);
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }

        await ComputeHost.RunAsync(context.Compute, target =>
        {
            try
            {
                Check(parameters, title, source, context, target);
            }
            catch (Exception error) when (error is ModelException or StageException or SafetensorsException)
            {
                throw new StageException(error.Message.StartsWith($"{title}/", StringComparison.Ordinal) ? error.Message : $"{title}: {error.Message}", error);
            }
        });
    }

    private static void Check(AdapterParameters parameters, string title, JsonObject source, StageContext context, TrainingTarget target)
    {
        var encoder = EncoderInput.Open(context.Input("model"), context);
        encoder.RequireLength(parameters.MaxLength, context);
        var data = context.OptionalInput("data") is { } tree ? DatasetReader.Open(tree.PathOf).Info : null;
        var labels = parameters.Labels ?? data?.Labels
            ?? throw new StageException(
                "an adapter does not say what its classes are called: set labels, in the order of the head's outputs, or give the dataset it was trained on as 'data'");
        using var peft = PeftAdapter.Read(context.OutputFolder, title);
        WarnOfBase(peft.Settings().BaseModel, encoder, context);
        using var trunk = encoder.Config.Build(Weights.Encoder(encoder.Config, encoder.Checkpoint(), target.Device, target.Dtype));
        var contents = PeftContents.Of(peft, trunk);
        using var adapter = contents.Adapter(trunk);
        context.Log($"the adapter changes {adapter.Targets.Count} linears of {encoder.Name}, {adapter.Parameters.Count} numbers{(adapter.Config.UseDora ? " (DoRA)" : "")}");
        var others = contents.Skipped.Where(module => !module.EndsWith("pooler.dense", StringComparison.Ordinal)).ToArray();
        if (others.Length > 0) context.Log($"left out, as no part of the encoder: {string.Join(", ", others)}");
        var tensors = AdapterHead.Of(peft, contents, encoder, context.OutputFolder, parameters.Pooling, context.Log);
        using var head = ClassifierHead.Load(tensors, encoder.Config.HiddenSize, labels.Count, target.Device);
        RequireNumbers(peft, tensors);
        if (contents.HasPooler && head.Pooling != HeadPooling.Pooler) context.Log("left out: the adapter's change to pooler.dense, through which the head does not look");
        SafetensorsFile.Write(context.Output(TrainStage.HeadFile), head.Parameters.Copy());
        var description = new JsonObject
        {
            ["backbone"] = encoder.Name,
            ["base"] = encoder.Describe(),
            ["source"] = source["source"]?.DeepClone(),
            ["revision"] = source["revision"]?.DeepClone(),
            ["dataset"] = data?.Name,
            ["labels"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]),
            ["split"] = parameters.Split,
            ["maxLength"] = parameters.MaxLength,
            ["trained"] = "adapter",
            ["pooling"] = System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(head.Pooling.ToString()),
            ["provenance"] = data?.Provenance.DeepClone() ?? new JsonObject(),
        };
        File.WriteAllText(context.Output(TrainStage.DescriptionFile), description.ToJsonString(TrainingChecks.Indented) + "\n");
        if (description["revision"] is { } revision) context.Metrics["revision"] = revision.DeepClone();
        context.Metrics["adapterParameters"] = adapter.Parameters.Count;
    }

    // Names on the Hub have aliases (bert-base-uncased is google-bert/bert-base-uncased), so that only what stands last is compared.
    private static void WarnOfBase(string? named, EncoderInput encoder, StageContext context)
    {
        var known = encoder.HubName ?? (encoder.Name.StartsWith("sha256:", StringComparison.Ordinal) ? null : encoder.Name);
        if (named is null || known is null || string.Equals(Last(named), Last(known), StringComparison.OrdinalIgnoreCase)) return;
        context.Warn($"the adapter says that it was trained on '{named}', and the model here is '{known}'; on another base than its own it means nothing");

        static string Last(string name) => name.TrimEnd('/', '\\').Split('/', '\\')[^1];
    }

    private static void RequireNumbers(PeftAdapter peft, IReadOnlyDictionary<string, torch.Tensor> head)
    {
        var all = peft.Tensors.Select(pair => ($"{PeftAdapter.TensorFile}: '{pair.Key}'", pair.Value))
            .Concat(head.Select(pair => ($"the head's '{pair.Key}'", pair.Value)));
        foreach (var (name, tensor) in all)
        {
            if (!tensor.is_floating_point())
                throw new StageException($"{name} is {tensor.dtype}, and weights must be F32, F16, BF16 or F64; take the adapter in its original precision");
            if (!torch.isfinite(tensor).all().item<bool>())
                throw new StageException($"{name} has a value that is no finite number; its training had failed");
        }
    }
}
