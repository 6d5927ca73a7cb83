using System.ComponentModel;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using Ssti.Training.Pretraining;

namespace Ssti.Stages;

/// <summary>The shape of a small BERT, and how long it is pretrained.</summary>
public sealed record PretrainParameters
{
    /// <summary>What tables call the model.</summary>
    [Description("what tables call the model")]
    public string Name { get; init; } = "tiny-bert";

    /// <summary>The split to train on.</summary>
    [Description("split to train on; its labels are not used")]
    public string Split { get; init; } = "unlabelled";

    /// <summary>Encoder layers.</summary>
    [Description("encoder layers")]
    public int Layers { get; init; } = 2;

    /// <summary>Width of hidden states.</summary>
    [Description("width of hidden states")]
    public int HiddenSize { get; init; } = 64;

    /// <summary>Attention heads.</summary>
    [Description("attention heads; must divide hidden-size")]
    public int Heads { get; init; } = 4;

    /// <summary>Width of the feed-forward layer.</summary>
    [Description("width of the feed-forward layer")]
    public int IntermediateSize { get; init; } = 128;

    /// <summary>Tokens of a row and rows of the position table.</summary>
    [Description("tokens of a row, and rows of the position table")]
    public int MaxLength { get; init; } = 32;

    /// <summary>Dropout.</summary>
    [Description("dropout of hidden states and attention weights, in this and in later training")]
    public double Dropout { get; init; } = 0.1;

    /// <summary>Updates.</summary>
    [Description("updates")]
    public int Steps { get; init; } = 500;

    /// <summary>Rows of an update.</summary>
    [Description("rows of an update")]
    public int BatchSize { get; init; } = 64;

    /// <summary>Peak learning rate.</summary>
    [Description("peak learning rate of AdamW")]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Warm-up.</summary>
    [Description("share of the updates in which the learning rate rises from 0")]
    public double WarmUpShare { get; init; } = 0.1;

    /// <summary>Share of masked tokens.</summary>
    [Description("share of the tokens that are to be guessed")]
    public double MaskShare { get; init; } = 0.15;
}

/// <summary>Pretrains a BERT from scratch by masked language modelling; leaves a model folder as Hugging Face lays it out.</summary>
public sealed class PretrainStage : StageKind<PretrainParameters>
{
    private const string Vocabulary = "vocab.txt";

    /// <inheritdoc/>
    public override string Name => "pretrain";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Pretrains a small BERT from scratch by masked language modelling.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "A dataset with its vocabulary in vocab.txt (uses: corpus)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(PretrainParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Name)) yield return new("name", "is empty; name the model");
        foreach (var (key, value) in new[] { ("layers", parameters.Layers), ("hidden-size", parameters.HiddenSize),
            ("heads", parameters.Heads), ("intermediate-size", parameters.IntermediateSize) })
            if (value < 1) yield return new(key, "must be at least 1");
        if (parameters.Heads > 0 && parameters.HiddenSize % parameters.Heads != 0)
            yield return new("heads", $"{parameters.Heads} does not divide hidden-size {parameters.HiddenSize}");
        if (parameters.Dropout is not (>= 0 and < 1)) yield return new("dropout", "must be at least 0 and less than 1");
        if (parameters.MaskShare is not (> 0 and < 1)) yield return new("mask-share", "must lie between 0 and 1");
        foreach (var error in TrainingChecks.Schedule(parameters.Steps, parameters.BatchSize, parameters.MaxLength, parameters.LearningRate, parameters.WarmUpShare))
            yield return error;
    }

    /// <inheritdoc/>
    public override Task RunAsync(PretrainParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        var data = context.Input("data");
        var tokenizer = WordPieceTokenizer.Load(data.PathOf(Vocabulary));
        var rows = TokenizedRows.Of(DatasetReader.Open(data.PathOf).Read(parameters.Split), tokenizer, parameters.MaxLength, context.Compute.Threads, cancellation);
        context.Log($"{Amount.Rows(rows.Count)} of '{parameters.Split}', {rows.Truncated} of them cut to {parameters.MaxLength} tokens; {tokenizer.VocabularySize} pieces");
        var config = new BertConfig(
            tokenizer.VocabularySize, parameters.HiddenSize, parameters.Layers, parameters.Heads, parameters.IntermediateSize, parameters.MaxLength,
            HiddenDropout: parameters.Dropout, AttentionDropout: parameters.Dropout, PadTokenId: tokenizer.PadId);
        var settings = new PretrainingSettings
        {
            Steps = parameters.Steps, BatchSize = parameters.BatchSize, LearningRate = parameters.LearningRate,
            WarmUpShare = parameters.WarmUpShare, MaskShare = parameters.MaskShare,
            Seed = context.Seed, Parts = context.Compute.Threads, CheckpointEvery = TrainingChecks.CheckpointEvery(parameters.Steps),
        };
        using var pretrainer = new Pretrainer(config, tokenizer, settings, target) { Log = context.Log };
        var steps = pretrainer.Run(
            rows, context.ScratchFolder, new TrainingProgress(context, settings.Steps, settings.BatchSize).Report, cancellation);
        SafetensorsFile.Write(context.Output("model.safetensors"), pretrainer.EncoderTensors());
        File.WriteAllText(context.Output("config.json"), config.ToJson());
        File.Copy(data.PathOf(Vocabulary), context.Output(Vocabulary));
        File.WriteAllText(context.Output("steps.jsonl"), steps);
        var source = new JsonObject { ["name"] = parameters.Name, ["source"] = "pretrained by masked language modelling", ["updates"] = parameters.Steps };
        File.WriteAllText(context.Output(ModelStage.SourceFile), source.ToJsonString(TrainingChecks.Indented) + "\n");
        context.Metrics["trainableParameters"] = pretrainer.TrainableParameters;
        context.Metrics["rows"] = rows.Count;
    });
}
