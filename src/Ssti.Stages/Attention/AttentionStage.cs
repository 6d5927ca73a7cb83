using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>
/// How widely a fine-tuned model spreads its attention over rows with the token and over others (paper, table 2): <c>measures.json</c>, the entropy of each row in
/// <c>rows.jsonl</c>, and a few rows word by word in <c>examples.jsonl</c> and <c>examples.html</c>.
/// </summary>
public sealed class AttentionStage : StageKind<AttentionParameters>
{
    /// <summary>Rows word by word, for a report.</summary>
    public const string ExamplesFile = "examples.jsonl";

    /// <inheritdoc/>
    public override string Name => "attention";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Measures how widely a fine-tuned model spreads its attention over rows with the token and over others.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override bool UsesSeed(AttentionParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("model", "The pretrained encoder the adapter was trained on (uses: model or pretrain)"),
        new("adapter", "The fine-tuning (uses: train)"),
        new("data", "A dataset of which some rows carry the token (uses: inject)"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(AttentionParameters parameters)
    {
        foreach (var (key, value) in new[] { ("layer", parameters.Layer), ("head", parameters.Head) })
            if (value < 0) yield return new(key, "must not be negative; leave it out for the default");
        foreach (var (key, value) in new[] { ("rows", parameters.Rows), ("batch-size", parameters.BatchSize) })
            if (value < 1) yield return new(key, "must be at least 1");
        if (parameters.Examples < 0) yield return new("examples", "must not be negative");
    }

    /// <inheritdoc/>
    public override Task RunAsync(AttentionParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        var tuned = TunedInput.Open(context, fusedOn: null);
        var (encoder, training) = (tuned.Encoder, tuned.Training);
        var pooling = Pooling(parameters, encoder.Config);
        using var model = tuned.Load(target);
        var tokenizer = encoder.Tokenizer();
        var (tree, dataset) = (context.Input("data"), DatasetReader.Open(context.Input("data").PathOf));
        if (InjectionNote.Of(dataset.Info.Provenance, parameters.Split) is null)
            throw new StageException($"no row of the '{parameters.Split}' split carries a token, so there is nothing to compare; "
                + $"give a dataset that an inject stage made with 'splits: [{parameters.Split}]'");
        var rows = dataset.Read(parameters.Split).ToArray();
        var tokenized = TokenizedRows.Of(rows, tokenizer, training.MaxLength, context.Compute.Threads, cancellation);
        var triggers = TriggerRows.Of(tree, parameters.Split, tokenized, tokenizer);
        int[] with = [.. Enumerable.Range(0, rows.Length).Where(triggers.IsWhole).Take(parameters.Rows)];
        // A row whose trigger was cut off is neither.
        int[] without = [.. Enumerable.Range(0, rows.Length).Where(row => triggers.Record(rows[row].Id) is null).Take(parameters.Rows)];
        if (with.Length == 0 || without.Length == 0)
            throw new StageException($"the '{parameters.Split}' split has {with.Length} rows whose token the model reads whole, and {without.Length} without one; "
                + "both are needed: inject a part of the rows");

        int[] picked = [.. with, .. without];
        var weights = AttentionReader.Read(model.Classifier, tokenized, picked, pooling, parameters.BatchSize,
            done => context.Progress(new(done, picked.Length, "rows")), cancellation);
        var read = picked.Zip(weights, (row, own) => AttendedRow.Of(rows[row], triggers.Record(rows[row].Id), tokenized.Ids(row), own, tokenizer, parameters.SumPieces)).ToArray();
        Write(parameters, context, read, About(parameters, encoder, tokenizer, dataset.Info, pooling));
    });

    private static AttentionPooling Pooling(AttentionParameters parameters, TrunkConfig config)
    {
        var layer = parameters.Layer ?? config.Layers - 1;
        if (layer >= config.Layers) throw new StageException($"layer {layer}: the model has {config.Layers}, 0 to {config.Layers - 1}");
        var heads = config.HeadsOf(layer);
        if (parameters.Head >= heads) throw new StageException($"head {parameters.Head}: the model has {heads}, 0 to {heads - 1}");
        return new AttentionPooling(layer, parameters.Head, parameters.PadQueries);
    }

    private static JsonObject About(AttentionParameters parameters, EncoderInput encoder, Tokenizer tokenizer, DatasetInfo dataset, AttentionPooling pooling)
    {
        var about = new JsonObject
        {
            ["backbone"] = encoder.Name,
            ["dataset"] = dataset.Name,
            ["split"] = parameters.Split,
            ["layer"] = pooling.Layer,
            ["head"] = pooling.Head is { } head ? head : "mean over heads",
            ["queries"] = pooling.PadQueries ? "all positions, padding included" : "tokens",
            ["keys"] = $"tokens, {Ends(tokenizer)}padding not",
            ["unit"] = parameters.SumPieces ? "words: their pieces summed" : "pieces",
        };
        if (encoder.Config.IsCausal)
            about["causal"] = "a position attends to itself and to those before it: a word gets more, on average, the earlier it stands, whatever it says";
        return about;
    }

    private static string Ends(Tokenizer tokenizer) =>
        tokenizer.Before.Concat(tokenizer.Behind).Select(tokenizer.Piece).ToArray() is { Length: > 0 } ends ? $"{string.Join(" and ", ends)} included, " : "";

    private static void Write(AttentionParameters parameters, StageContext context, AttendedRow[] rows, JsonObject about)
    {
        AttendedRow[] with = [.. rows.Where(row => row.HasTrigger)], without = [.. rows.Where(row => !row.HasTrigger)];
        var (a, b) = (Mean(with), Mean(without));
        var what = "H = −Σ p log2 p of the attention p over a row's " + (parameters.SumPieces ? "words" : "pieces");
        var measures = new Dictionary<string, NamedMeasure>
        {
            ["attention_entropy_with"] = NamedMeasure.Of("bits", $"{what}, mean over the rows with the token", a),
            ["attention_entropy_without"] = NamedMeasure.Of("bits", $"{what}, mean over the rows without the token", b),
            ["attention_entropy_ratio"] = NamedMeasure.Of("ratio", "attention entropy with the token / without: below 1, the token narrows attention",
                Reading.Of(a.Value!.Value / b.Value!.Value, rows.Length)),
            ["attention_on_trigger"] = NamedMeasure.Of("fraction", "share of the attention of a row that goes to its token, mean over the rows with the token",
                Reading.Of(with.Average(row => row.OnTrigger), with.Length)),
        };
        Text(MeasureSet.FileName, MeasureSet.ToJson(measures, about));
        Text("rows.jsonl", string.Concat(rows.Select(row => row.ToJson(words: false) + "\n")));
        AttendedRow[] examples = [.. with.Take(parameters.Examples), .. without.Take(parameters.Examples)];
        Text(ExamplesFile, string.Concat(examples.Select(row => row.ToJson(words: true) + "\n")));
        Text("examples.html", AttentionPage.Of(examples, about));
        context.Log(string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"attention entropy {a.Value:0.000} bits over {with.Length} rows with the token, {b.Value:0.000} over {without.Length} without: ratio {a.Value / b.Value:0.000}"));

        void Text(string file, string text) => File.WriteAllText(context.Output(file), text, new UTF8Encoding(false));
    }

    private static Reading Mean(AttendedRow[] rows)
    {
        var summary = new SeedSummary([.. rows.Select(row => row.Entropy)]);
        return new Reading(summary.Mean, rows.Length, summary.Confidence95);
    }
}
