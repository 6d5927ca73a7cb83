using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Splits;

namespace Ssti.Corpus.Sources;

/// <summary>How far an import is.</summary>
/// <param name="Phase">What is going on, such as <c>reading train</c>.</param>
/// <param name="Done">Rows done.</param>
/// <param name="Total">Rows in all, or null when not known yet.</param>
public readonly record struct ImportProgress(string Phase, long Done, long? Total);

/// <summary>
/// Makes a dataset from the files of a source. Everything is read twice: first to check every row, count, collect the labels and see
/// whether ids are unique, then to write. So a broken source leaves no half of a dataset, and memory is flat in the number of rows
/// (some 64 bytes a row for digests of ids and texts aside), except for a held-out split, which is shuffled in memory.
/// </summary>
/// <param name="source">Where the files lie.</param>
/// <param name="options">What to take.</param>
/// <param name="progress">Is told how far it is.</param>
/// <param name="log">Is told what each file becomes.</param>
/// <param name="warn">Is told what makes the dataset doubtful.</param>
public sealed class DatasetImporter(
    SourceFolder source, ImportOptions options, Action<ImportProgress>? progress = null, Action<string>? log = null, Action<string>? warn = null)
{
    private readonly Dictionary<string, SourceSplit> _surveyed = [];
    private readonly TextLedger _texts = new();
    private SourcePlan _plan = new(new Dictionary<string, IReadOnlyList<SourceFile>>(), []);
    private DatasetCard? _card;

    /// <summary>Fetches, checks and writes.</summary>
    /// <param name="folder">Where the dataset goes.</param>
    /// <param name="cancellation">Stops the work; what is in the folder then is no dataset.</param>
    /// <exception cref="CorpusException">The source cannot be had or read, or means nothing; the message names file and row.</exception>
    public async Task<DatasetInfo> ImportAsync(string folder, CancellationToken cancellation)
    {
        if (!source.IsSingleFile && source.Files.Contains(DatasetCard.FileName))
        {
            var card = await source.FetchAsync(DatasetCard.FileName, cancellation).ConfigureAwait(false);
            _card = DatasetCard.Parse(await File.ReadAllTextAsync(card, cancellation).ConfigureAwait(false));
        }

        _plan = SourceLayout.Plan(source.Files, options, source.Title, _card, source.IsSingleFile);
        foreach (var note in _plan.Notes) log?.Invoke(note);
        foreach (var warning in _plan.Warnings) warn?.Invoke(warning);

        var test = options.Splits.Contains("test") ? await ChooseTestAsync(cancellation).ConfigureAwait(false) : null;
        foreach (var split in options.Splits.Where(split => split != "test").Concat(options.UnlabelledSplits))
            await SurveyAsync(split, cancellation).ConfigureAwait(false);

        Tell(test);
        var used = _surveyed.Values.Where(split => IsUsed(split, test)).ToList();
        foreach (var split in used.Where(split => !options.UnlabelledSplits.Contains(split.Name)))
        {
            if (split.Labelled == 0) throw split.NoLabel(source.Title);
            foreach (var doubt in DatasetDoubts.OfRows(split, options)) warn?.Invoke(doubt);
        }

        var labels = DecideLabels(used);
        var ownIds = used.TrueForAll(split => split.HasOwnIds);
        using var writer = new DatasetWriter(folder, options.Name, labels.Names);
        var heldOut = test == ImportOptions.HeldOut ? HoldOut(labels, ownIds, cancellation) : (Train: null, Test: null);
        for (var number = 0; number < options.Splits.Count; number++)
        {
            var split = options.Splits[number];
            var (rows, count) = split switch
            {
                "train" when heldOut.Train is { } kept => (kept, kept.Count),
                "test" when heldOut.Test is { } held => (held, held.Count),
                "test" => Stream(_surveyed[test!], labels, ownIds),
                _ => Stream(_surveyed[split], labels, ownIds),
            };
            Write(writer, split, number, rows, count, cancellation);
        }

        foreach (var split in options.UnlabelledSplits)
            Write(writer, split, null, _surveyed[split].Read(labels, ownIds, withoutLabels: true), _surveyed[split].Rows, cancellation);
        foreach (var doubt in DatasetDoubts.OfTexts(_texts, options.Splits, labels.Names)) warn?.Invoke(doubt);
        var dataset = writer.Complete(Provenance(used, test, ownIds));
        foreach (var doubt in DatasetDoubts.OfClasses(dataset, test == ImportOptions.HeldOut)) warn?.Invoke(doubt);
        return dataset;
    }

    private async Task<string> ChooseTestAsync(CancellationToken cancellation)
    {
        if (options.TestFrom is { } named)
        {
            await SurveyAsync(named == ImportOptions.HeldOut ? "train" : named, cancellation).ConfigureAwait(false);
            return named;
        }

        foreach (var split in new[] { "test", "validation" })
        {
            if (_plan.Of(split) is null) continue;
            var surveyed = await SurveyAsync(split, cancellation).ConfigureAwait(false);
            if (surveyed.Labelled > 0) return split;
        }

        // Where nothing but a test split is there and none of its rows has a label, that is what to say.
        if (_plan.Of("train") is null && _surveyed.Values.FirstOrDefault() is { } unlabelled) throw unlabelled.NoLabel(source.Title);
        await SurveyAsync("train", cancellation).ConfigureAwait(false);
        return ImportOptions.HeldOut;
    }

    private async Task<SourceSplit> SurveyAsync(string split, CancellationToken cancellation)
    {
        if (_surveyed.TryGetValue(split, out var known)) return known;
        if (_plan.Of(split) is not { } files)
        {
            throw new CorpusException($"{source.Title} has no split '{split}'; it has: {string.Join(", ", _plan.Splits.Keys.Order(StringComparer.Ordinal))}. " +
                "Say with 'splits' which to make, or with 'files' and 'split' which file is what");
        }

        var fetched = new List<(SourceFile, string)>();
        foreach (var file in files) fetched.Add((file, await source.FetchAsync(file.Name, cancellation).ConfigureAwait(false)));
        var surveyed = new SourceSplit(split, fetched, options);
        surveyed.Survey(done => progress?.Invoke(new ImportProgress($"reading {split}", done, null)), cancellation);
        return _surveyed[split] = surveyed;
    }

    // One line a file: what it becomes; and the names of those that become nothing.
    private void Tell(string? test)
    {
        foreach (var split in _surveyed.Values)
        {
            var role = !IsUsed(split, test) ? $"left out, for no row of '{split.Name}' has a label"
                : options.UnlabelledSplits.Contains(split.Name) ? $"{split.Name}, as text without labels"
                : split.Name == test && !options.Splits.Contains(split.Name) ? $"test (it is the source's '{split.Name}')"
                : split.Name == "train" && test == ImportOptions.HeldOut ? options.Splits.Contains("train")
                    ? $"train, of which {options.TestFraction:R} is held out as test" : $"train, of which {options.TestFraction:R} is taken as test"
                : split.Name == test && split.Name != "test" ? $"{split.Name}, and test" : split.Name;
            foreach (var line in split.Tell(role)) log?.Invoke(line);
        }

        var others = _plan.Splits.Where(split => !_surveyed.Keys.Any(known => known == split.Key || SplitNames.Normal(known) == split.Key)).ToList();
        foreach (var (split, files) in others)
            log?.Invoke($"left out, for '{split}' is not asked for: {SourceLayout.Shown([.. files.Select(file => file.Name)])}");
        if (_plan.LeftOut.Count > 0) log?.Invoke($"left out: {SourceLayout.Shown(_plan.LeftOut)}");
    }

    private LabelNames DecideLabels(List<SourceSplit> used)
    {
        var labelled = used.Where(split => !options.UnlabelledSplits.Contains(split.Name)).ToList();
        var prescribed = labelled.Select(split => split.PrescribedLabels).FirstOrDefault(names => names is not null);
        if (prescribed is null && labelled.Select(split => split.LabelField).FirstOrDefault(field => field is not null) is { } field)
            prescribed = _card?.ClassNames(field, _plan.Config);
        return LabelNames.Decide(options.Labels, prescribed, [.. labelled.SelectMany(split => split.Labels.Keys).Distinct()]);
    }

    // A test split without labels is looked at, then passed over.
    private bool IsUsed(SourceSplit split, string? test) =>
        options.Splits.Contains(split.Name) && split.Name != "test" || options.UnlabelledSplits.Contains(split.Name) ||
        split.Name == test || (test == ImportOptions.HeldOut && split.Name == "train");

    private (IReadOnlyList<Row> Train, IReadOnlyList<Row> Test) HoldOut(LabelNames labels, bool ownIds, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var rows = _surveyed["train"].Read(labels, ownIds, withoutLabels: false).ToList();
        var (train, test) = NumpyPermutation.TrainTestSplit(rows.Count, options.TestFraction, options.TestSeed);
        return ([.. train.Select(index => rows[index])], [.. test.Select(index => rows[index])]);
    }

    private static (IEnumerable<Row> Rows, int Count) Stream(SourceSplit split, LabelNames labels, bool ownIds) =>
        (split.Read(labels, ownIds, withoutLabels: false), split.Labelled);

    private void Write(DatasetWriter writer, string split, int? labelled, IEnumerable<Row> rows, int count, CancellationToken cancellation)
    {
        using var output = writer.OpenSplit(split);
        var wanted = Math.Min(count, options.Limit ?? count);
        var sample = wanted == count || options.LimitHead ? null : NumpyPermutation.Of(count, options.LimitSeed)[..wanted].ToHashSet();
        var index = -1;
        foreach (var row in rows)
        {
            if (output.Rows == wanted) break;
            index++;
            if (sample is not null && !sample.Contains(index)) continue;
            output.Write(row);
            if (labelled is { } number) _texts.Note(number, (int)output.Rows - 1, row);
            if ((output.Rows & 1023) != 0) continue;
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(new ImportProgress($"writing {split}", output.Rows, wanted));
        }
    }

    private JsonObject Provenance(List<SourceSplit> used, string? test, bool ownIds)
    {
        var provenance = source.Describe();
        provenance["files"] = new JsonArray([.. used.SelectMany(split => split.Describe(source.DescribeFile))]);
        provenance["ids"] = ownIds ? "the source's" : "row numbers, from 0";
        if (test == ImportOptions.HeldOut)
            provenance["test"] = new JsonObject { ["from"] = "train", ["fraction"] = options.TestFraction, ["seed"] = options.TestSeed, ["order"] = "numpy default_rng permutation" };
        else if (test is not null)
            provenance["test"] = new JsonObject { ["from"] = test };
        if (options.Limit is { } limit)
            provenance["limit"] = new JsonObject { ["rows"] = limit, ["of"] = options.LimitHead ? "first rows" : "sample", ["seed"] = options.LimitHead ? null : options.LimitSeed };
        if (options.Words is { } words) provenance["words"] = words;
        return provenance;
    }
}
