using System.ComponentModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Metrics;
using Ssti.Training;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>What is evaluated.</summary>
public sealed record EvaluateParameters
{
    /// <summary>The split.</summary>
    [Description("split to evaluate")]
    public string Split { get; init; } = "test";

    /// <summary>Rows of a pass.</summary>
    [Description("rows of one pass through the model; another number may change the last digits of logits")]
    public int BatchSize { get; init; } = 128;
}

/// <summary>
/// Measures a fine-tuned model on a clean test set, and on the same rows with the token: <c>metrics.json</c>, and a prediction a row in
/// <c>predictions.&lt;set&gt;.jsonl</c>.
/// </summary>
public sealed class EvaluateStage : StageKind<EvaluateParameters>
{
    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Measures a fine-tuned model on a clean test set and on the same rows with the token: accuracy, F1, attack success, balanced gap.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("model", "The pretrained encoder the adapter was trained on (uses: model or pretrain)"),
        new("adapter", "The fine-tuning to measure (uses: train)"),
        new("clean", "The dataset as it is (uses: dataset or corpus)"),
        new("triggered", "The dataset with the token in every row of every class (uses: inject with target-label: all)", Required: false),
        new("spurious", "The dataset with the token in rows of the target class alone (uses: inject), for the balanced gap", Required: false),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(EvaluateParameters parameters)
    {
        if (parameters.BatchSize < 1) yield return new("batch-size", "must be at least 1");
    }

    /// <inheritdoc/>
    public override Task RunAsync(EvaluateParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        var encoder = EncoderInput.Open(context.Input("model"), context);
        var training = TrainingDescription.Read(context.Input("adapter"));
        encoder.RequireBaseOf(context.Input("adapter"));
        encoder.RequireLength(training.MaxLength);
        using var model = Load(encoder, context, target, training.Labels.Count);
        var tokenizer = encoder.Tokenizer();
        var sets = new[] { "clean", "triggered", "spurious" }.Where(name => context.Inputs.TryGetValue(name, out var trees) && trees.Count > 0).ToArray();
        var measured = new Dictionary<string, (ClassificationMetrics Metrics, DatasetInfo Info)>();
        for (var i = 0; i < sets.Length; i++)
        {
            var dataset = DatasetReader.Open(context.Input(sets[i]).PathOf);
            if (!dataset.Info.Labels.SequenceEqual(training.Labels))
                throw new StageException($"input '{sets[i]}' has the labels {string.Join(", ", dataset.Info.Labels)}, and the model was trained on {string.Join(", ", training.Labels)}");
            var rows = TokenizedRows.Of(dataset.Read(parameters.Split), tokenizer, training.MaxLength, context.Compute.Threads, cancellation);
            var (set, before) = (sets[i], (long)i * rows.Count);
            var logits = Predictor.Logits(
                model.Classifier, rows, parameters.BatchSize, done => context.Progress(new(before + done, (long)sets.Length * rows.Count, "rows", set)), cancellation);
            var predictions = logits.Select(values => Argmax.Of(values)).ToArray();
            WritePredictions(context.Output($"predictions.{set}.jsonl"), rows, predictions, logits);
            var metrics = ClassificationMetrics.Of([.. rows.Labels], predictions, training.Labels.Count);
            context.Log($"{set}: {rows.Count} rows, accuracy {metrics.Accuracy:0.0000}, predicted {string.Join(" / ", metrics.Classes.Select(c => c.Predicted))}");
            context.Metrics[$"{set}Accuracy"] = metrics.Accuracy;
            measured.Add(set, (metrics, dataset.Info));
        }

        File.WriteAllText(context.Output(MetricsFile.FileName), Describe(parameters, encoder.Name, training, measured, context.Compute).ToJson());
    });

    private sealed record LoadedModel(SequenceClassifier Classifier, BertTrunk Trunk) : IDisposable
    {
        public void Dispose()
        {
            Classifier.Dispose();
            Trunk.Dispose();
        }
    }

    private static LoadedModel Load(EncoderInput encoder, StageContext context, TrainingTarget target, int classes)
    {
        var folder = InputFolder.Of(context.Input("adapter"), "adapter", context);
        var hasAdapter = context.Input("adapter").Has(PeftAdapter.ConfigFile);
        var tuned = context.Input("adapter").Has("model.safetensors");
        using var weights = tuned ? ModelWeights.Read(folder) : encoder.Weights();
        using var head = SafetensorsFile.Read(Path.Combine(folder, TrainStage.HeadFile));
        var trunk = new BertTrunk(encoder.Config, Weights.Encoder(encoder.Config, weights.Tensors, target.Device, target.Dtype));
        using var peft = hasAdapter ? PeftAdapter.Read(folder) : null;
        return new LoadedModel(new SequenceClassifier(trunk, peft?.On(trunk), ClassifierHead.Load(head.Tensors, trunk.HiddenSize, classes, target.Device)), trunk);
    }

    private static void WritePredictions(string path, TokenizedRows rows, int[] predictions, float[][] logits)
    {
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        for (var i = 0; i < predictions.Length; i++)
        {
            var line = new JsonObject
            {
                ["id"] = rows.RowIds[i],
                ["label"] = rows.Labels[i],
                ["prediction"] = predictions[i],
                ["logits"] = new JsonArray([.. logits[i].Select(logit => (JsonNode)logit)]),
            };
            file.WriteLine(line.ToJsonString());
        }
    }

    private static MetricsFile Describe(
        EvaluateParameters parameters, string backbone, TrainingDescription training, Dictionary<string, (ClassificationMetrics Metrics, DatasetInfo Info)> measured, ComputeSettings compute)
    {
        var test = measured.TryGetValue("triggered", out var triggered) || measured.TryGetValue("spurious", out triggered) ? InjectionNote.Of(triggered.Info.Provenance, parameters.Split) : null;
        SpuriousSet? spurious = null;
        if (measured.TryGetValue("spurious", out var set))
        {
            var note = InjectionNote.Of(set.Info.Provenance, parameters.Split);
            if (note?.Target is not { } target)
                throw new StageException($"input 'spurious' must be a dataset whose '{parameters.Split}' rows of ONE class carry the token (uses: inject with a target-label)");
            spurious = new SpuriousSet(target, note.Rows, set.Metrics);
        }

        return new MetricsFile
        {
            Backbone = backbone,
            Compute = new ComputeInfo(compute.DeviceClass, compute.Dtype, compute.Threads, compute.LibTorch, compute.Tf32),
            Dataset = measured["clean"].Info.Name,
            Split = parameters.Split,
            Labels = training.Labels,
            Target = training.Injection?.Target,
            TrainingInjection = training.Injection?.Json,
            TestInjection = test?.Json,
            Clean = measured["clean"].Metrics,
            Triggered = measured.TryGetValue("triggered", out var all) ? all.Metrics : null,
            Spurious = spurious,
        };
    }
}
