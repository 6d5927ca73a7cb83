using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Reads labelled text from the Hub or from local files, in any of the known formats, into a dataset.</summary>
/// <param name="hub">How to reach the Hub; null: without a token, its cache in the stage's scratch folder.</param>
public sealed class DatasetStage(HubOptions? hub = null) : StageKind<DatasetParameters>
{
    /// <inheritdoc/>
    public override string Name => "dataset";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Reads labelled text from the Hugging Face Hub or local files: JSON lines, TSV, CSV, Parquet, fastText, plain text.";

    /// <summary>The held-out split has a seed of its own among the parameters; only a sample is drawn by the stage's.</summary>
    public override bool UsesSeed(DatasetParameters parameters) => parameters is { Limit: not null, LimitBy: LimitBy.Sample };

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(DatasetParameters parameters)
    {
        if (HubSource.Problem(parameters.Source, HubKind.Dataset) is { } problem) yield return new("source", problem);
        if (parameters.Splits.Count + parameters.UnlabelledSplits.Count == 0) yield return new("splits", "is empty; name at least one split, such as train");
        foreach (var split in parameters.Splits.Concat(parameters.UnlabelledSplits))
            if (split.ToLowerInvariant() is ("train" or "validation" or "test") and var lower && lower != split) yield return new("splits", $"'{split}' is written '{lower}'");
        foreach (var twice in parameters.Splits.Concat(parameters.UnlabelledSplits).GroupBy(split => split).Where(group => group.Count() > 1))
            yield return new("splits", $"'{twice.Key}' stands twice in splits and unlabelled-splits; keep one");
        foreach (var twice in parameters.Labels.GroupBy(label => label).Where(group => group.Count() > 1))
            yield return new("labels", $"'{twice.Key}' stands twice; labels need different names");
        if (parameters.Encoding is { } encoding && !ImportOptions.Encodings.Contains(encoding))
            yield return new("encoding", $"'{encoding}' is not known; use {string.Join(", ", ImportOptions.Encodings)}");
        if (parameters.Delimiter is { } delimiter && DelimiterOf(delimiter) is null) yield return new("delimiter", $"'{delimiter}' is not one character; write ',', ';', '|' or '\\t'");
        if (parameters.Split is { } whole && (whole.Length == 0 || !whole.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            yield return new("split", $"'{whole}' cannot name a split: use letters, digits, '-' and '_', such as train");
        if (parameters.TestFraction is not (> 0 and < 1)) yield return new("test-fraction", "must lie between 0 and 1");
        if (parameters.TestSeed < 0) yield return new("test-seed", "must not be negative");
        if (parameters.Words <= 0) yield return new("words", "must be at least 1; leave it out to take texts whole");
        if (parameters.Limit <= 0) yield return new("limit", "must be at least 1; leave it out to take all rows");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(DatasetParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            using var source = await HubSource.OpenAsync(parameters.Source, HubKind.Dataset, hub, context, cancellation);
            var options = Options(parameters, source.Repository?.Name, context);
            var importer = new DatasetImporter(
                source.Folder, options, progress => context.Progress(new(progress.Done, progress.Total, "rows", progress.Phase)), context.Log, context.Warn);
            var dataset = await importer.ImportAsync(context.OutputFolder, cancellation);
            Report(dataset, context);
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    /// <summary>Logs a dataset's splits and puts them into the record.</summary>
    internal static void Report(DatasetInfo dataset, StageContext context)
    {
        var rows = new JsonObject();
        foreach (var split in dataset.Splits)
        {
            rows[split.Name] = split.Rows;
            var counts = string.Join(", ", dataset.Labels.Zip(split.Counts, (label, count) => $"{label} {count}"));
            context.Log($"{split.Name}: {split.Rows} rows{(split.IsLabelled ? $" ({counts})" : ", unlabelled")}");
        }

        context.Metrics["rows"] = rows;
        if (dataset.Provenance["revision"] is { } revision) context.Metrics["revision"] = revision.DeepClone();
    }

    private static char? DelimiterOf(string text) => text is [var one] && one is not ('"' or '\r' or '\n') ? one : text == "\\t" ? '\t' : null;

    private static ImportOptions Options(DatasetParameters parameters, string? repository, StageContext context) => new()
    {
        Name = parameters.Name ?? repository ?? "local",
        Format = parameters.Format,
        Config = parameters.Config,
        Files = parameters.Files,
        Split = parameters.Split,
        Splits = parameters.Splits,
        UnlabelledSplits = parameters.UnlabelledSplits,
        Labels = parameters.Labels,
        Fields = new SourceFields(parameters.Fields.Text, parameters.Fields.Label, parameters.Fields.Id),
        Encoding = parameters.Encoding,
        Header = parameters.Header,
        Delimiter = parameters.Delimiter is { } delimiter ? DelimiterOf(delimiter) : null,
        Quotes = parameters.Quotes,
        TestFrom = parameters.TestFrom,
        TestFraction = parameters.TestFraction,
        TestSeed = (ulong)parameters.TestSeed,
        Limit = parameters.Limit,
        Words = parameters.Words,
        LimitHead = parameters.LimitBy == LimitBy.Head,
        LimitSeed = (ulong)context.Seed,
    };
}
