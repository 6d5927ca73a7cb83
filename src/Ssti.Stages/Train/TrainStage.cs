using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Training;
using Ssti.Training.Banks;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>
/// Fine-tunes a pretrained encoder: the adapter in PEFT's files, <c>head.safetensors</c>, <c>training.json</c> (what an evaluation must know) and
/// <c>steps.jsonl</c> (loss, gradient norm and learning rate of every update); with a validation also <c>validation.jsonl</c> (what every look at its rows saw).
/// </summary>
public sealed partial class TrainStage : StageKind<TrainParameters>
{
    /// <summary>The head's weight and bias.</summary>
    public const string HeadFile = "head.safetensors";

    /// <summary>What an evaluation must know of the training.</summary>
    public const string DescriptionFile = "training.json";

    /// <summary>Whether a line of a training's log tells of a look at its validation rows.</summary>
    public static bool TellsValidation(string line) => line.StartsWith(TrainingProgress.ValidationLog, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string Name => "train";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Fine-tunes a pretrained encoder with LoRA on a dataset, by the published protocol unless told otherwise.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    /// <remarks>
    /// Adapters on one base whose rows are of one length in every pass. On a GPU those in bf16 whose adapters are
    /// of one shape, and others without dropouts, which draw from the one generator there is.
    /// </remarks>
    public override StageLikeness? Likeness(TrainParameters parameters, ComputeSettings compute)
    {
        if (parameters.Train != TrainedPart.Adapter || parameters.Dora || parameters.ModulesToSave is not null || parameters.Bias is not (null or LoraBias.None)) return null;
        // Passes of rows of about one length seldom meet another's of that length.
        if (parameters.Pooling == TrainedPooling.MaskedMean) return null;
        var written = compute.Device != "cpu" && compute.Dtype == "bf16";
        // Dropouts of libtorch's own kernels draw from the GPU's only generator.
        if (compute.Device != "cpu" && parameters.Dropouts && !written) return null;
        var targets = string.Join('\n', parameters.TargetModules.Prepend(parameters.TargetPattern));
        return new($"{parameters.MaxLength} {parameters.Dropouts} {parameters.LoraDropout:R}{(written ? Shape() : "")}\n{targets}", "model");

        // Passes that are written out put adapters of one shape side by side.
        string Shape() => string.Create(
            CultureInfo.InvariantCulture,
            $" {parameters.BatchSize}/{parameters.MicroBatchSize} {FusedEncoder.Stored(parameters.Rank)} "
            + $"{(parameters.Alpha ?? parameters.Rank) / parameters.Rank:R} {parameters.Rslora}")
            + $" {string.Join(',', parameters.RankPattern ?? [])} {string.Join(',', parameters.AlphaPattern ?? [])}";
    }

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("data", "The dataset to train on (uses: dataset, corpus or inject)"),
        new("model", "The pretrained encoder (uses: model or pretrain)"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(TrainParameters parameters)
    {
        foreach (var error in LoraSettings.Errors(parameters)) yield return error;
        foreach (var error in TrainingChecks.Schedule(parameters.Steps, parameters.BatchSize, parameters.MaxLength, parameters.LearningRate, parameters.WarmUpShare))
            yield return error;
        if (parameters.MicroBatchSize < 0 || parameters.MicroBatchSize > parameters.BatchSize) yield return new("micro-batch-size", "must lie between 0 and batch-size");
        if (!(parameters.GradientNormBound > 0)) yield return new("gradient-norm-bound", "must be positive");
        if (parameters.Validation is { Every: < 1 }) yield return new("validation.every", "must be at least 1");
        if (parameters.Validation is { Patience: < 0 }) yield return new("validation.patience", "must be at least 1, or 0 to go on to the last update");
        if (parameters.Validation is { } validation && validation.Split == parameters.Split)
            yield return new("validation.split", $"is '{parameters.Split}', which is trained on: what is looked at must be other rows (a split stage holds some out)");
        if (parameters.WeightDecay is not (>= 0 and <= TrainingChecks.Largest)) yield return new("weight-decay", "must be at least 0, and at most 1000000");
    }

    /// <inheritdoc/>
    public override Task RunAsync(TrainParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        using var seat = Seat(context, target, cancellation);
        var encoder = EncoderInput.Open(context.Input("model"), context);
        encoder.RequireLength(parameters.MaxLength, context);
        FusedEncoder.Prepare(target.Device, target.Dtype, encoder.Config);
        var dataset = DatasetReader.Open(context.Input("data").PathOf);
        foreach (var split in new[] { parameters.Split, parameters.Validation?.Split })
            if (split is not null && dataset.Info.Split(split) is { IsLabelled: false }) throw new StageException($"split '{split}' has no labels to train on");
        var tokenizer = encoder.Tokenizer();
        var reading = ComputeHost.Beside(context.Compute, () => Read(parameters.Split));
        var held = parameters.Validation is { } validation ? Read(validation.Split) : null;
        var settings = Settings(parameters, encoder.Config, dataset.Info, context);
        var progress = new TrainingProgress(context, settings.Steps, settings.BatchSize);
        using var tuner = new FineTuner(encoder.Config, encoder.Checkpoint(), settings, target, seat) { Log = context.Log, Validated = progress.Validated };
        var rows = reading.Value;
        context.Log($"{Amount.Rows(rows.Count)} of '{parameters.Split}', {rows.Truncated} of them cut to {parameters.MaxLength} tokens");
        var triggers = ComputeHost.Beside(
            context.Compute, () => Triggers(context.Input("data"), dataset.Info.Provenance, parameters.Split, rows, tokenizer));
        var told = false;
        TellTriggers();
        TellTargets(tuner, context);
        if (held is not null) context.Log($"{Amount.Rows(held.Count)} of '{parameters.Validation!.Split}' are looked at meanwhile, {held.Truncated} of them cut");
        var steps = tuner.Run(rows, context.ScratchFolder, Report, cancellation, held);
        TellTriggers(wait: true);
        if (seat is not null) context.Metrics["joinedPasses"] = seat.JoinedPasses;
        File.WriteAllText(context.Output("steps.jsonl"), steps);
        Save(tuner, encoder, context);
        var description = Describe(parameters, dataset.Info, encoder, tuner.TrainableParameters, rows, triggers.Value?.ToJson());
        if (settings.Pooling is { } looksAt) description["pooling"] = JsonNamingPolicy.KebabCaseLower.ConvertName(looksAt.ToString());
        if (settings.ClassWeights is { } classes) description["classWeights"] = new JsonArray([.. classes.Select(weight => (JsonNode)weight)]);
        if (held is not null) description["validation"] = TrainingValidation.Describe(parameters, held, tuner, steps, context);
        File.WriteAllText(context.Output(DescriptionFile), description.ToJsonString(TrainingChecks.Indented) + "\n");
        context.Metrics["rows"] = rows.Count;
        context.Metrics["truncatedRows"] = rows.Truncated;
        context.Metrics["trainableParameters"] = tuner.TrainableParameters;
        context.Metrics["finalLoss"] = (double)JsonNode.Parse(steps[(steps.LastIndexOf('\n', steps.Length - 2) + 1)..])!["loss"]!;

        void Report(StepRecord record)
        {
            TellTriggers();
            progress.Report(record);
        }

        // On the CPU before the first update, and on a GPU, which does not wait for it, in one of the first.
        void TellTriggers(bool wait = false)
        {
            if (told || (!wait && !triggers.IsReady)) return;
            told = true;
            triggers.Value?.Tell(context);
        }

        TokenizedRows Read(string split) =>
            TokenizedRows.Of(dataset.Read(split), tokenizer, parameters.MaxLength, ComputeHost.TextThreads(context.Compute), cancellation);
    });

    /// <summary>A place among the trainings that are worked at together with this one; null where it is alone.</summary>
    private static BankSeat? Seat(StageContext context, TrainingTarget target, CancellationToken cancellation)
    {
        if (context.Group is not { } group) return null;
        context.Log($"in a bank of {group.Group.Size} trainings: one place of the machine, and one pass through the model for all where that changes no byte");
        if (context.PerGpu > 1)
        {
            context.Log("what a pass takes of the GPU's memory is measured beside other stages: as many trainings as go together "
                + "may be more or fewer than have room");
        }

        return group.Group.Share(() => new TrainingBank(group.Group.Size, target.Device), (bank, number) => bank.Leave(number)).Take(group.Number, context.Log, cancellation);
    }

    /// <summary>How many injected rows the model reads a token in; null for clean data.</summary>
    private static TrainedTriggers? Triggers(InputTree data, JsonObject provenance, string split, TokenizedRows rows, Tokenizer tokenizer)
    {
        var triggers = InjectionNote.Of(provenance, split) is null ? null : TriggerRows.Of(data, split, rows, tokenizer);
        string[] doubts = triggers is not null ? [.. triggers.Doubts($"training split '{split}'")]
            : InjectionNote.Missed(provenance, split) is { } missed ? [$"training {missed}"] : [];
        return triggers is null && doubts.Length == 0 ? null : new TrainedTriggers(triggers, doubts);
    }

    private static FineTuningSettings Settings(TrainParameters parameters, TrunkConfig model, DatasetInfo dataset, StageContext context) => new()
    {
        Train = parameters.Train,
        Pooling = parameters.Pooling is { } pooling ? (HeadPooling)pooling : null,
        Lora = LoraSettings.Of(parameters, model),
        TrainHead = parameters.TrainHead,
        Classes = dataset.Labels.Count,
        Steps = parameters.Steps,
        BatchSize = parameters.BatchSize,
        MicroBatchSize = parameters.MicroBatchSize,
        Optimizer = parameters.Optimizer,
        LearningRate = parameters.LearningRate,
        WeightDecay = parameters.WeightDecay,
        WarmUpShare = parameters.WarmUpShare,
        GradientNormBound = parameters.GradientNormBound,
        Dropouts = parameters.Dropouts,
        ClassWeights = parameters.ClassWeights == ClassWeighting.Balanced ? TrainingValidation.Balanced(dataset, parameters.Split, context) : null,
        Validation = parameters.Validation is { } validation ? new ValidationSettings(validation.Every, validation.Patience) : null,
        Seed = context.Seed,
        CheckpointEvery = TrainingChecks.CheckpointEvery(parameters.Steps),
    };

    // Names as a layer's, with the layers that have them.
    private static void TellTargets(FineTuner tuner, StageContext context)
    {
        if (tuner.Adapter is not { } adapter) return;
        var modules = adapter.Targets.GroupBy(linear => LayerNumber().Replace(linear.Name, "")).Select(group => $"{group.Key} ({group.Count()})");
        context.Log($"{adapter.Targets.Count} linears get an adapter: {string.Join(", ", modules)}");
        if (adapter.Whole.Count > 0)
            context.Log($"{adapter.Whole.Count} tensors of the model are trained whole: {string.Join(", ", adapter.Whole.Take(6))}{(adapter.Whole.Count > 6 ? " …" : "")}");
        foreach (var doubt in LoraSettings.Doubts(adapter.Config, tuner.Linears)) context.Warn(doubt);
    }

    [GeneratedRegex(@"^(?:[a-z]+\.)*?layers?\.\d+\.")]
    private static partial Regex LayerNumber();

    private static void Save(FineTuner tuner, EncoderInput encoder, StageContext context)
    {
        SafetensorsFile.Write(context.Output(HeadFile), tuner.Head.Parameters.Copy());
        if (tuner.Adapter is { } adapter)
        {
            // With the head in it PEFT loads the whole classifier; the head's own file is what an evaluation reads after every kind of training. A head on the mean
            // without padding stays out: it has the shape of one on the pooler, and would be taken for that.
            using var peft = PeftAdapter.From(
                adapter, encoder.HubName, head: tuner.Head.Pooling == HeadPooling.MeanAndLast ? tuner.Head : null, revision: encoder.Revision);
            peft.Write(context.OutputFolder);
        }

        if (tuner.EncoderTensors() is not { } tensors) return;
        SafetensorsFile.Write(context.Output("model.safetensors"), tensors);
        File.WriteAllText(context.Output("config.json"), encoder.Config.ToJson());
    }

    private static JsonObject Describe(
        TrainParameters parameters, DatasetInfo dataset, EncoderInput encoder, long trainable, TokenizedRows rows, JsonObject? triggers) => new()
    {
        ["backbone"] = encoder.Name,
        ["base"] = encoder.Describe(),
        ["dataset"] = dataset.Name,
        ["labels"] = new JsonArray([.. dataset.Labels.Select(label => (JsonNode)label)]),
        ["split"] = parameters.Split,
        ["maxLength"] = parameters.MaxLength,
        ["trained"] = JsonNamingPolicy.KebabCaseLower.ConvertName(parameters.Train.ToString()),
        ["rows"] = rows.Count,
        ["truncatedRows"] = rows.Truncated,
        ["triggers"] = triggers,
        ["trainableParameters"] = trainable,
        ["provenance"] = dataset.Provenance.DeepClone(),
    };
}

/// <summary>Which triggers of the rows that are trained on the model reads.</summary>
/// <param name="Triggers">The rows; null where none is injected.</param>
/// <param name="Doubts">What is doubtful about them.</param>
internal sealed record TrainedTriggers(TriggerRows? Triggers, IReadOnlyList<string> Doubts)
{
    /// <summary>Says so in the stage's log and warnings.</summary>
    public void Tell(StageContext context)
    {
        if (Triggers is not null)
        {
            context.Log($"{Amount.Rows(Triggers.Injected)} {(Triggers.Injected == 1 ? "was" : "were")} injected, and the model reads a whole token in "
                + $"{Triggers.Whole} of them");
        }

        foreach (var doubt in Doubts) context.Warn(doubt);
    }

    /// <summary>As it stands in <see cref="TrainStage.DescriptionFile"/>.</summary>
    public JsonObject ToJson() => new()
    {
        ["injectedRows"] = Triggers?.Injected ?? 0,
        ["wholeRows"] = Triggers?.Whole ?? 0,
        ["unknownRows"] = Triggers?.Unknown ?? 0,
        ["doubts"] = new JsonArray([.. Doubts.Select(doubt => (JsonNode)doubt)]),
    };
}
