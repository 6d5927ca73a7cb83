using System.Buffers;
using System.ComponentModel;
using System.Text.Json;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
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
    private const int FlushAt = 1 << 16;

    /// <inheritdoc/>
    public override string Name => "evaluate";

    /// <inheritdoc/>
    public override int Version => 4;

    /// <inheritdoc/>
    public override string Summary => "Measures a fine-tuned model on a clean test set and on the same rows with the token: accuracy, F1, attack success, balanced gap.";

    /// <inheritdoc/>
    public override bool UsesSeed(EvaluateParameters parameters) => false;

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    /// <remarks>Adapters on one base that are asked about the same rows. On a GPU their passes are written out for each adapter, in one piece.</remarks>
    public override StageLikeness? Likeness(EvaluateParameters parameters, ComputeSettings compute) =>
        compute.Device == "cpu" ? new($"{parameters.Split} {parameters.BatchSize}", "model", "clean", "tokens") : null;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("model", "The pretrained encoder the adapter was trained on (uses: model or pretrain)"),
        new("adapter", "The fine-tuning to measure (uses: train or adapter)"),
        new("clean", "The dataset as it is (uses: dataset or corpus)"),
        new("tokens", "The rows of 'clean' as the model reads them (uses: tokenise); without it they are tokenised here", Required: false),
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
        using var seat = Seat(context, cancellation);
        var tuned = TunedInput.Open(context, target);
        var (training, tokenizer) = (tuned.Training, tuned.Tokenizer);
        var reading = new[] { TestSet.Clean, TestSet.Triggered, TestSet.Spurious }
            .Where(name => context.Inputs.TryGetValue(name, out var trees) && trees.Count > 0)
            .Select(name => ComputeHost.Beside(context.Compute, () => seat is null ? Read(name) : seat.Once(KeyOf(name), () => Read(name)))).ToArray();
        using var model = tuned.Load(target, seat is null ? null : build => seat.Once("encoder", build));
        var sets = Array.ConvertAll(reading, set => set.Value);
        var places = sets.Skip(1).ToDictionary(set => set.Name, set => ComputeHost.Beside(context.Compute, () => set.RowsIn(sets[0])));
        // What does not fit together is told as soon as it is known, and on the CPU before the first row is measured.
        Fit();
        TokenizedRows[] rows = [.. sets.Select(set => set.Rows)];
        var logits = seat?.Logits(model.Classifier, rows, parameters.BatchSize, Progress, cancellation)
            ?? Predictor.Logits(model.Classifier, rows, parameters.BatchSize, Progress, cancellation);
        if (seat is not null) context.Metrics["sharedEvaluations"] = seat.Together;
        var predictions = sets.Zip(logits)
            .ToDictionary(pair => pair.First.Name, pair => Array.ConvertAll(pair.Second, static row => Argmax.Of(row)));
        var describing = ComputeHost.Beside(context.Compute, () => Describe(
            parameters, tuned.Encoder.Name, training, sets, predictions, places.ToDictionary(set => set.Key, set => set.Value.Value),
            context.Compute));
        foreach (var (set, values) in sets.Zip(logits))
            WritePredictions(context.Output($"predictions.{set.Name}.jsonl"), set.Rows, predictions[set.Name], values);
        var file = describing.Value;
        foreach (var set in sets) Tell(set.Name, set.Name switch { TestSet.Clean => file.Clean, TestSet.Triggered => file.Triggered!, _ => file.Spurious!.Metrics }, context);
        foreach (var note in file.Notes) context.Warn(note);
        File.WriteAllText(context.Output(MetricsFile.FileName), file.ToJson());

        void Progress(int set, long done, long total)
        {
            Fit();
            context.Progress(new(done, total, "rows", sets[set].Name));
        }

        void Fit()
        {
            foreach (var place in places.Values.Where(place => place.IsReady)) _ = place.Value;
        }

        TestSet Read(string name) => TestSet.Read(
            name, context.Input(name), parameters.Split, training, tokenizer, context.Compute, cancellation,
            name == TestSet.Clean ? context.OptionalInput("tokens") : null);

        // All that a set is read by and that may differ between evaluations: files lie where their digests say.
        string KeyOf(string name) => string.Join('\n',
            [name, $"{training.MaxLength}", .. training.Labels, .. context.Input(name).Files.Select(context.Input(name).PathOf)]);
    });

    /// <summary>A place among the evaluations that are made together with this one; null where it is alone.</summary>
    private static EvaluationSeat? Seat(StageContext context, CancellationToken cancellation)
    {
        if (context.Group is not { } group) return null;
        context.Log($"together with {group.Group.Size - 1} evaluations on this base: rows are read once, and what no adapter changes is computed once");
        return group.Group.Share(() => new EvaluationBank(group.Group.Size), (bank, number) => bank.Leave(number)).Take(group.Number, cancellation);
    }

    private static void Tell(string set, ClassificationMetrics metrics, StageContext context)
    {
        context.Log($"{set}: {Amount.Rows(metrics.Rows)}, accuracy {metrics.Accuracy:0.0000}, predicted {string.Join(" / ", metrics.Classes.Select(c => c.Predicted))}");
        context.Metrics[$"{set}Accuracy"] = metrics.Accuracy;
    }

    private static void WritePredictions(string path, TokenizedRows rows, int[] predictions, float[][] logits)
    {
        using var file = File.Create(path);
        var lines = new ArrayBufferWriter<byte>(2 * FlushAt);
        using var json = new Utf8JsonWriter(lines);
        for (var i = 0; i < predictions.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("id", rows.RowIds[i]);
            json.WriteNumber("label", rows.Labels[i]);
            json.WriteNumber("prediction", predictions[i]);
            json.WriteStartArray("logits");
            foreach (var logit in logits[i]) json.WriteNumberValue(logit);
            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            lines.Write("\n"u8);
            if (lines.WrittenCount < FlushAt && i < predictions.Length - 1) continue;
            file.Write(lines.WrittenSpan);
            lines.ResetWrittenCount();
        }
    }

    private static MetricsFile Describe(
        EvaluateParameters parameters, string backbone, TrainingDescription training, IReadOnlyList<TestSet> sets,
        Dictionary<string, int[]> predictions, Dictionary<string, int[]> places, ComputeSettings compute)
    {
        var (clean, triggered, spurious) = (sets[0], sets.FirstOrDefault(set => set.Name == TestSet.Triggered), sets.FirstOrDefault(set => set.Name == TestSet.Spurious));
        var token = triggered?.Token(predictions[triggered.Name], places[triggered.Name], predictions[clean.Name], training.Labels.Count);
        var file = new MetricsFile
        {
            Backbone = backbone,
            Compute = new ComputeInfo(compute.DeviceClass, compute.Dtype, compute.Threads, compute.LibTorch, compute.Tf32),
            Dataset = clean.Data,
            Split = parameters.Split,
            Labels = training.Labels,
            Target = training.Injection?.Target,
            TrainingInjection = training.Injection?.Json,
            TestInjection = (triggered ?? spurious)?.Note!.Json,
            Clean = Measured(clean),
            Triggered = triggered is null ? null : Measured(triggered),
            Token = token,
            Spurious = spurious is null ? null : new SpuriousSet(spurious.Note!.Target!.Value, spurious.Triggers!.Injected, spurious.Triggers.Whole, Measured(spurious)),
        };
        return file with { Notes = [.. training.Doubts, .. sets.SelectMany(set => set.Doubts(clean)), .. NoAttack(file)] };

        ClassificationMetrics Measured(TestSet set) => ClassificationMetrics.Of([.. set.Rows.Labels], predictions[set.Name], training.Labels.Count);
    }

    /// <summary>A model with a target whose attack cannot be measured, though there is a triggered set.</summary>
    private static IEnumerable<string> NoAttack(MetricsFile file)
    {
        if (file.Triggered is null || file.Target is not { } target) yield break;
        if (EvaluationMeasures.AttackSuccess.Read(file, target).Reason is { } reason)
            yield return $"ASR has no value for the model's target '{file.Labels[target]}': {reason}";
    }
}
