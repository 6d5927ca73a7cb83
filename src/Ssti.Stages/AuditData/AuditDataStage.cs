using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Defenses;
using Ssti.Defenses.Data;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Reporting.Figures;

namespace Ssti.Stages;

/// <summary>
/// Looks in a dataset for what gives its labels away: <c>audit.json</c> with the answer, <c>audit.html</c> to read, <c>tokens.csv</c>,
/// <c>rows.csv</c>, the suspects as a table, their counts as a
/// figure, and <c>measures.json</c>.
/// </summary>
public sealed class AuditDataStage : StageKind<AuditDataParameters>
{
    /// <summary>The answer for programs.</summary>
    public const string JsonFile = "audit.json";

    /// <summary>The answer for people.</summary>
    public const string HtmlFile = "audit.html";

    /// <summary>The rows to look at.</summary>
    public const string RowsFile = "rows.csv";

    private const int MostInCopies = 50;

    /// <inheritdoc/>
    public override string Name => "audit-data";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Looks for what gives a dataset's labels away: words, pairs, pieces, families, forms of texts, and the rows that have them.";

    /// <inheritdoc/>
    public override bool UsesSeed(AuditDataParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset (uses: dataset, corpus, inject …)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(AuditDataParameters parameters)
    {
        if (parameters.GivesAway is not (> 0.5 and < 1)) yield return new("gives-away", "must lie between 0.5 and 1: a sign of a class is in more of its rows than of all others");
        if (parameters.FalseAlarms is not (> 0 and < 1)) yield return new("false-alarms", "must lie between 0 and 1");
        if (parameters.FalseDiscoveries is not (> 0 and < 1)) yield return new("false-discoveries", "must lie between 0 and 1");
        if (parameters.LeastRows < 2) yield return new("least-rows", "must be at least 2: every word of a single row is of one class alone");
        if (parameters.Listed is < 1 or > 100_000) yield return new("listed", "must lie between 1 and 100000");
        if (parameters.Suspects is < 1 or > 1000) yield return new("suspects", "must lie between 1 and 1000");
        if (parameters.OnionRows is < 0 or > 100_000) yield return new("onion-rows", "must lie between 0 and 100000");
    }

    /// <inheritdoc/>
    public override Task RunAsync(AuditDataParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var tree = context.Input("data");
            var audit = AuditedData.Of(tree, parameters, context, cancellation);
            var measures = AuditMeasures.Of(audit.Result, AuditTruth.Of(tree, audit.Reader, parameters.Split, audit.Result));
            if (parameters.Cleaned)
                CleanedDataset.Write(context, audit.Reader, parameters.Split, audit.Result.Suspects.Flagged.Select(row => row.Number).ToHashSet(), Name, cancellation);
            var files = new AuditFiles(context, audit);
            files.Answer(JsonFile, Json(audit));
            files.Text("tokens.csv", AuditTables.TokensCsv(audit.Result, audit.Data.Labels));
            files.Text(RowsFile, AuditTables.RowsCsv(audit.Result, parameters.Split, audit.Data.Labels));
            files.Text(TableStage.JsonFile, audit.Table.ToJson());
            files.Text(FigureStage.JsonFile, audit.Figure.ToJson());
            files.Text(FigureStage.SvgFile, FigureDrawing.ToSvg(audit.Figure));
            files.Measures(measures, new JsonObject { ["rows"] = audit.Split.Rows });
            files.Page(HtmlFile, AuditPage.Of(Name, audit, measures, context.Warnings));
            context.Log(audit.Answer.Headline);
            return Task.CompletedTask;
        }
        catch (Exception error) when (error is CorpusException or InjectionException or DefenseException)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static JsonObject Json(AuditedData audit) => Json(audit.Answer, audit.Result, audit.Data, audit.Split, audit.Parameters);

    private static JsonObject Json(AuditAnswer answer, DataAuditResult result, DatasetInfo data, SplitInfo split, AuditDataParameters parameters) => new()
    {
        ["schema"] = 2,
        ["found"] = answer.Found,
        ["dataset"] = data.Name,
        ["split"] = split.Name,
        ["rows"] = split.Rows,
        ["texts"] = result.Counts.Texts,
        ["labels"] = AuditFiles.Texts(data.Labels),
        ["answer"] = answer.ToJson(),
        ["levels"] = new JsonObject
        {
            ["gives-away"] = parameters.GivesAway, ["false-alarms"] = parameters.FalseAlarms, ["false-discoveries"] = parameters.FalseDiscoveries,
            ["words-from"] = result.Counts.WordsFrom, ["pairs-from"] = result.Counts.PairsFrom, ["tests"] = result.Tests.Tests, ["leaning"] = result.Tests.Leaning,
            ["groups"] = new JsonObject(result.Tests.Levels.Select(level => KeyValuePair.Create(level.Key.ToString().ToLowerInvariant(), (JsonNode?)new JsonObject
            {
                ["features"] = level.Value.Features, ["divisor"] = level.Value.Divisor, ["level"] = level.Value.Level,
            }))),
        },
        ["suspects"] = new JsonArray([.. Enumerable.Range(0, result.Suspects.Suspects.Count).Select(rank => (JsonNode)AuditTables.ToJson(result, rank, data.Labels))]),
        ["flagged"] = result.Suspects.Flagged.Count,
        ["repeated"] = new JsonObject { ["duplicates"] = result.Repeated.Duplicates, ["leaks"] = result.Repeated.Leaks, ["conflicts"] = result.Repeated.Conflicts },
        ["near-duplicates"] = new JsonObject
        {
            ["searched"] = result.Counts.Near.Searched, ["rows"] = result.Repeated.NearDuplicates, ["groups"] = result.Counts.Near.Groups, ["largest"] = result.Counts.Near.Largest,
            ["leaks"] = result.Repeated.NearLeaks, ["conflicts"] = result.Repeated.NearConflicts,
            ["sure-by-rows"] = new JsonArray([.. result.Tests.InCopies.Take(MostInCopies).Select(one => (JsonNode)new JsonObject
            {
                ["suspect"] = one.Counted.Feature.ToString(), ["class"] = data.Labels[one.Class], ["rows"] = one.Counted.Rows, ["class-rows"] = one.Counted.Counts[one.Class],
                ["texts"] = one.Counted.Texts, ["class-texts"] = one.Counted.ByText[one.Class],
            })]),
        },
        ["classes"] = new JsonArray([.. result.Classes.Select(one => (JsonNode)new JsonObject
        {
            ["class"] = data.Labels[one.Class], ["rows"] = one.Rows, ["words"] = new JsonArray([.. one.Words.Select(words => (JsonNode)words)]),
        })]),
        ["power"] = new JsonArray([.. result.Power.Select(power => (JsonNode)new JsonObject
        {
            ["group"] = power.Group.ToString().ToLowerInvariant(), ["class"] = data.Labels[power.Class], ["pure"] = power.Pure, ["contaminated"] = power.Contaminated,
        })]),
    };
}
