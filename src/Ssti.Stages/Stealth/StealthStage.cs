using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Statistics;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Injection.Words;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>
/// How visible an injection is: how much of a row it is, and how it surprises a language model trained on clean rows: <c>measures.json</c>, and each row in <c>rows.jsonl</c>.
/// </summary>
public sealed class StealthStage : StageKind<StealthParameters>
{
    /// <inheritdoc/>
    public override string Name => "stealth";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Measures how visible an injection is: its share of the rows, and their perplexity beside that of their originals.";

    /// <inheritdoc/>
    public override bool UsesSeed(StealthParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("data", "The injected dataset (uses: inject)"),
        new("clean", "A clean dataset, such as the one that was injected: the language model is trained on another split of it (uses: dataset or corpus)"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(StealthParameters parameters)
    {
        if (parameters.Split == parameters.ModelSplit) yield return new("model-split", "is the split that is measured: "
            + "a model that was trained on a row's original is not surprised by it. Name another");
        if (parameters.Order is < 2 or > 7) yield return new("order", "must lie between 2 and 7");
        foreach (var (key, value) in new[] { ("model-rows", parameters.ModelRows), ("rows", parameters.Rows) })
            if (value < 1) yield return new(key, "must be at least 1");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(StealthParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var (tree, clean) = (context.Input("data"), DatasetReader.Open(context.Input("clean").PathOf));
            var data = DatasetReader.Open(tree.PathOf);
            var note = InjectionNote.Of(data.Info.Provenance, parameters.Split) ?? throw new StageException(
                $"input 'data': no row of its '{parameters.Split}' split carries a token, so there is nothing to see; "
                    + $"make it by an inject stage with 'splits: [{parameters.Split}]'");
            if (note.Rewritings.Count > 0)
                throw new StageException($"input 'data' was rewritten after the injection ({note.Rewritings[0]}), "
                    + $"so that originals and injected rows differ in more than the token; give what the inject stage made");
            if (InjectionNote.Of(clean.Info.Provenance, parameters.ModelSplit) is not null)
                throw new StageException($"input 'clean': its '{parameters.ModelSplit}' split carries tokens, "
                    + $"and the language model would get used to them; give the dataset as it was before it was injected");
            if (note.Times > 1) context.Warn($"the '{parameters.Split}' split was injected {note.Times} times in turn: "
                + $"what is called an original here still has the tokens of all but the last");

            var model = ByteModel.Train(clean.Read(parameters.ModelSplit).Take(parameters.ModelRows).Select(row => row.Text), parameters.Order, cancellation);
            var (injected, others) = Measured(parameters, tree, data, model, context, cancellation);
            var trained = Math.Min(clean.Info.Split(parameters.ModelSplit)!.Rows, parameters.ModelRows);
            var about = new JsonObject
            {
                ["dataset"] = data.Info.Name,
                ["split"] = parameters.Split,
                ["language-model"] = $"byte {parameters.Order}-grams, interpolated Kneser-Ney, trained on {trained} rows of the clean split '{parameters.ModelSplit}'",
                ["labels"] = new JsonArray([.. data.Info.Labels.Select(label => (JsonNode)label)]),
                ["notes"] = new JsonArray([.. context.Warnings.Select(warning => (JsonNode)warning)]),
            };
            var measures = StealthMeasures.Of(injected, others, $"byte {parameters.Order}-grams (interpolated Kneser-Ney, trained on clean rows)");
            await File.WriteAllTextAsync(context.Output(MeasureSet.FileName), MeasureSet.ToJson(measures, about), new UTF8Encoding(false), cancellation);
            await File.WriteAllTextAsync(context.Output("rows.jsonl"), string.Concat(injected.Concat(others).Select(row => row.ToJson())), new UTF8Encoding(false), cancellation);
            foreach (var (name, measure) in measures)
                context.Log($"{name}: {measure.Whole!.Value?.ToString("0.000", CultureInfo.InvariantCulture) ?? measure.Whole.Reason}");
        }
        catch (Exception error) when (error is CorpusException or InjectionException)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static (List<StealthRow> Injected, List<StealthRow> Others) Measured(
        StealthParameters parameters, InputTree tree, DatasetReader data, ByteModel model, StageContext context, CancellationToken cancellation)
    {
        var records = InjectionRecordFile.Read(tree.PathOf(InjectionRecordFile.NameFor(parameters.Split))).ToDictionary(record => record.RowId);
        List<StealthRow> injected = [], others = [];
        foreach (var row in data.Read(parameters.Split))
        {
            cancellation.ThrowIfCancellationRequested();
            var record = records.GetValueOrDefault(row.Id);
            var group = record is null ? others : injected;
            if (group.Count >= parameters.Rows) continue;
            var original = record?.RemoveFrom(row.Text);
            var (words, characters) = Size(original ?? row.Text);
            var (wordsNow, charactersNow) = Size(row.Text);
            group.Add(new StealthRow(row.Id, row.Label, words, wordsNow - words, characters, charactersNow - characters, model.Perplexity(row.Text),
                original is null ? null : model.Perplexity(original)));
            if ((injected.Count + others.Count) % 200 == 0) context.Progress(new(injected.Count + others.Count, null, "rows"));
        }

        return (injected, others);
    }

    private static (int Words, int Characters) Size(string text)
    {
        var words = PythonText.Split(text);
        return (words.Count, words.Sum(word => word.Length));
    }
}
