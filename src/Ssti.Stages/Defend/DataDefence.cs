using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;
using Ssti.Corpus.Statistics;
using Ssti.Corpus.Text;
using Ssti.Defenses.Adapters;
using Ssti.Defenses.Cures;
using Ssti.Engine.Stages;
using Ssti.Injection.Randomness;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;
using Ssti.Training;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;

namespace Ssti.Stages;

/// <summary>The methods of <c>defend</c> that make a dataset of a dataset.</summary>
internal sealed class DataDefence(DefendParameters parameters, StageContext context)
{
    // Of the rows a language model could be trained on, every fifth is kept aside to set the bound by.
    private const int Aside = 5;

    private readonly string _method = JsonNamingPolicy.KebabCaseLower.ConvertName(parameters.Method.ToString());
    private long _injected, _dropped, _hit;

    /// <summary>Makes the dataset.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var data = DatasetReader.Open(context.Input("data").PathOf);
        var rewrite = new DatasetRewrite(context, data, parameters.Splits, "suspect");
        var onion = parameters.Method == DefendMethod.Onion ? LearnOnion(cancellation) : null;
        var provenance = new JsonObject { ["stage"] = "defend", ["method"] = _method };
        var told = parameters.Method switch
        {
            DefendMethod.None => null,
            DefendMethod.TokenDrop or DefendMethod.Spectral => string.Create(CultureInfo.InvariantCulture, $"defend: {_method} {parameters.Share}"),
            DefendMethod.Onion => string.Create(CultureInfo.InvariantCulture, $"defend: {_method} {parameters.FalseAlarms}"),
            _ => $"defend: {_method}",
        };
        await rewrite.RunAsync(async (split, rows) => parameters.Method switch
        {
            DefendMethod.None => new(Texts(rows)),
            DefendMethod.TokenDrop => new([.. rows.Select(Dropped)]),
            DefendMethod.Onion => new(Cleaned(split, rows, onion!, cancellation)),
            DefendMethod.RemoveRows => Without(split, rows, Flagged(split, rows), rewrite),
            _ => Without(split, rows, await SpectralAsync(split, rows, cancellation), rewrite),
        }, told, provenance, cancellation);
    }

    private static string[] Texts(IReadOnlyList<Row> rows) => [.. rows.Select(row => row.Text)];

    // A stream for each row, so that a row comes out the same whatever stands before it.
    private string Dropped(Row row) => WordDrop.Apply(row.Text, parameters.Share, new CPythonRandom(RowStreams.SeedOf(context.Seed, "drop", row.Id)).Sample);

    private Onion LearnOnion(CancellationToken cancellation)
    {
        var texts = CleanRows("the language model would get used to them").Select(row => row.Text).ToArray();
        var aside = texts.Where((_, index) => index % Aside == 0).ToArray();
        var model = ByteModel.Train(texts.Where((_, index) => index % Aside != 0), parameters.Order, cancellation);
        var bound = Onion.BoundOf(model, aside, parameters.FalseAlarms);
        context.Log(string.Create(CultureInfo.InvariantCulture,
            $"onion: language model of {texts.Length - aside.Length} clean rows; words of a suspicion above {bound:0.0000} nats a byte go, as "
            + $"{parameters.FalseAlarms} of those of {aside.Length} others"));
        context.Metrics["bound"] = bound;
        return new Onion(model, bound);
    }

    private Row[] CleanRows(string or)
    {
        var clean = DatasetReader.Open(context.Input("clean").PathOf);
        if (InjectionNote.Of(clean.Info.Provenance, parameters.ModelSplit) is not null)
            throw new StageException($"input 'clean': its '{parameters.ModelSplit}' split carries tokens, and {or}; give the dataset as it was before it was injected");
        Row[] rows = [.. TokenBattery.Spread(clean.Read(parameters.ModelSplit).ToArray(), parameters.ModelRows)];
        return rows.Length >= 2 * Aside
            ? rows
            : throw new StageException(
                $"input 'clean': {Amount.Rows(rows.Length)} of '{parameters.ModelSplit}' are too few to learn from; {2 * Aside} at least");
    }

    private string[] Cleaned(SplitInfo split, IReadOnlyList<Row> rows, Onion onion, CancellationToken cancellation)
    {
        var (texts, done) = (Texts(rows), 0);
        Parallel.For(0, texts.Length, new ParallelOptions { MaxDegreeOfParallelism = ComputeHost.TextThreads(context.Compute), CancellationToken = cancellation }, row =>
        {
            texts[row] = onion.Clean(texts[row]);
            if (Interlocked.Increment(ref done) % 200 == 0) context.Progress(new(done, texts.Length, "rows", $"{split.Name}: onion"));
        });
        return texts;
    }

    private Dictionary<int, KeyValuePair<string, JsonNode?>> Flagged(SplitInfo split, IReadOnlyList<Row> rows)
    {
        var (path, title) = parameters.Rows is { } given ? (given.LocalPath!, given.Text) : OfInput();
        if (!File.Exists(path)) throw new StageException($"rows: there is no file '{title}'");
        var ids = RowIds.Read(path, split.Name, parameters.Why, title);
        // A path is in no key, and so in no output.
        var file = parameters.Rows is null ? title : "rows";
        var found = rows.Index().Where(row => ids.Contains(row.Item.Id)).ToDictionary(row => row.Index, _ => KeyValuePair.Create("flagged-in", (JsonNode?)file));
        var known = rows.Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        var missing = ids.Where(id => !known.Contains(id)).Order(StringComparer.Ordinal).ToArray();
        if (missing.Length == ids.Count && ids.Count > 0)
            throw new StageException($"{title}: none of its {Amount.Rows(ids.Count)} is in split '{split.Name}', such as '{missing[0]}'; it is of another dataset or split");
        if (missing.Length > 0) context.Warn($"{title}: {missing.Length} of its {Amount.Rows(ids.Count)} are not in split '{split.Name}', such as '{missing[0]}'");
        return found;

        (string, string) OfInput()
        {
            var tree = context.Input("flagged");
            var dropped = DatasetRewrite.DroppedFile(split.Name);
            var named = parameters.RowsFile ?? (tree.Has(dropped) || !tree.Has(AuditDataStage.RowsFile) ? dropped : AuditDataStage.RowsFile);
            return (tree.PathOf(named), named);
        }
    }

    private async Task<Dictionary<int, KeyValuePair<string, JsonNode?>>> SpectralAsync(SplitInfo split, IReadOnlyList<Row> rows, CancellationToken cancellation)
    {
        if (!split.IsLabelled) throw new StageException($"split '{split.Name}' has no labels, and spectral signatures are of the rows of a class");
        double[] scores = [];
        await ComputeHost.RunAsync(context.Compute, target => scores = Scores(rows, target, cancellation));
        return SpectralSignatures.Highest(scores, [.. rows.Select(row => row.Label)], parameters.Share)
            .ToDictionary(row => row, row => KeyValuePair.Create("spectral-score", (JsonNode?)scores[row]));
    }

    private double[] Scores(IReadOnlyList<Row> rows, TrainingTarget target, CancellationToken cancellation)
    {
        var tuned = TunedInput.Open(context, target);
        using var model = tuned.Load(target);
        var tokenized = TokenizedRows.Of(rows, tuned.Tokenizer, tuned.Training.MaxLength, ComputeHost.TextThreads(context.Compute), cancellation);
        var read = HiddenStates.Means(model.Classifier, tokenized, parameters.BatchSize, cancellation);
        return SpectralSignatures.Scores(read, [.. rows.Select(row => row.Label)]);
    }

    // What is flagged is held to what was injected, where that is known.
    private RewrittenTexts Without(SplitInfo split, IReadOnlyList<Row> rows, Dictionary<int, KeyValuePair<string, JsonNode?>> flagged, DatasetRewrite rewrite)
    {
        if (flagged.Count == rows.Count) throw new StageException($"every row of split '{split.Name}' is flagged, and nothing would be left of it");
        var (file, tree) = (InjectionRecordFile.NameFor(split.Name), context.Input("data"));
        var injected = tree.Has(file) ? InjectionRecordFile.Read(tree.PathOf(file)).Select(record => record.RowId).ToHashSet(StringComparer.Ordinal) : [];
        _dropped += flagged.Count;
        _injected += injected.Count;
        _hit += flagged.Keys.Count(row => injected.Contains(rows[row].Id));
        rewrite.Measures.Add(
            "flagged_precision",
            NamedMeasure.Of(
                "fraction", "of the rows that are dropped as suspect, the share that was injected",
                Reading.Share(_hit, _dropped, "no row is dropped")));
        rewrite.Measures.Add(
            "flagged_recall",
            NamedMeasure.Of(
                "fraction", "of the injected rows, the share that is dropped as suspect",
                Reading.Share(_hit, _injected, "no row was injected")));
        return new(Texts(rows), flagged);
    }
}
