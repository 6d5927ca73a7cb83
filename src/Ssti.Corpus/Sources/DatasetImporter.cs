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
/// (24 bytes a row for ids aside), except for a held-out split, which is shuffled in memory.
/// </summary>
public sealed class DatasetImporter(SourceFolder source, ImportOptions options, Action<ImportProgress>? progress = null)
{
    private readonly Dictionary<string, SourceSplit> _surveyed = [];
    private IReadOnlyDictionary<string, IReadOnlyList<SourceFile>> _plan = new Dictionary<string, IReadOnlyList<SourceFile>>();

    /// <summary>Fetches, checks and writes.</summary>
    /// <param name="folder">Where the dataset goes.</param>
    /// <param name="cancellation">Stops the work; what is in the folder then is no dataset.</param>
    /// <exception cref="CorpusException">The source cannot be had or read; the message names file and row.</exception>
    public async Task<DatasetInfo> ImportAsync(string folder, CancellationToken cancellation)
    {
        _plan = SourceLayout.Plan(source.Files, options, source.Title);
        var test = options.Splits.Contains("test") ? await ChooseTestAsync(cancellation).ConfigureAwait(false) : null;
        foreach (var split in options.Splits.Where(split => split != "test").Concat(options.UnlabelledSplits))
            await SurveyAsync(split, cancellation).ConfigureAwait(false);

        var labels = DecideLabels(test);
        var used = _surveyed.Values.Where(split => IsUsed(split, test)).ToList();
        var ownIds = used.TrueForAll(split => split.HasOwnIds);
        using var writer = new DatasetWriter(folder, options.Name, labels.Names);
        var heldOut = test == ImportOptions.HeldOut ? HoldOut(labels, ownIds, cancellation) : (Train: null, Test: null);
        foreach (var split in options.Splits)
        {
            var (rows, count) = split switch
            {
                "train" when heldOut.Train is { } kept => (kept, kept.Count),
                "test" when heldOut.Test is { } held => (held, held.Count),
                "test" => Stream(_surveyed[test!], labels, ownIds),
                _ => Stream(_surveyed[split], labels, ownIds),
            };
            if (count == 0) throw new CorpusException($"{source.Title}: no row of '{split}' has a label; take it as text with 'unlabelled-splits', or leave it out");
            Write(writer, split, rows, count, cancellation);
        }

        foreach (var split in options.UnlabelledSplits)
            Write(writer, split, _surveyed[split].Read(labels, ownIds, withoutLabels: true), _surveyed[split].Rows, cancellation);
        return writer.Complete(Provenance(used, test, ownIds));
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
            if (!_plan.ContainsKey(split)) continue;
            var surveyed = await SurveyAsync(split, cancellation).ConfigureAwait(false);
            if (surveyed.Labelled > 0) return split;
        }

        await SurveyAsync("train", cancellation).ConfigureAwait(false);
        return ImportOptions.HeldOut;
    }

    private async Task<SourceSplit> SurveyAsync(string split, CancellationToken cancellation)
    {
        if (_surveyed.TryGetValue(split, out var known)) return known;
        if (!_plan.TryGetValue(split, out var files))
            throw new CorpusException($"{source.Title} has no split '{split}'; it has: {string.Join(", ", _plan.Keys.Order(StringComparer.Ordinal))}");
        var fetched = new List<(SourceFile, string)>();
        foreach (var file in files) fetched.Add((file, await source.FetchAsync(file.Name, cancellation).ConfigureAwait(false)));
        var surveyed = new SourceSplit(split, fetched, options);
        surveyed.Survey(done => progress?.Invoke(new ImportProgress($"reading {split}", done, null)), cancellation);
        return _surveyed[split] = surveyed;
    }

    private LabelNames DecideLabels(string? test)
    {
        var occurring = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyList<string>? prescribed = null;
        foreach (var split in _surveyed.Values.Where(split => IsUsed(split, test) && !options.UnlabelledSplits.Contains(split.Name)))
        {
            occurring.UnionWith(split.Labels);
            prescribed ??= split.PrescribedLabels;
        }

        return LabelNames.Decide(options.Labels, prescribed, occurring);
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

    private void Write(DatasetWriter writer, string split, IEnumerable<Row> rows, int count, CancellationToken cancellation)
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
        return provenance;
    }
}
