using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Defenses;
using Ssti.Defenses.Data;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;

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

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Utf8 = new(false);

    /// <inheritdoc/>
    public override string Name => "audit-data";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Looks for what gives a dataset's labels away: words, pairs, families, forms of texts, and the rows that have them.";

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
    public override async Task RunAsync(AuditDataParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var tree = context.Input("data");
            var data = DatasetReader.Open(tree.PathOf);
            var result = DataAudit.Of(data, new DataAuditOptions
            {
                Split = parameters.Split, Levels = AuditTables.Levels(parameters), Listed = parameters.Listed, Suspects = parameters.Suspects, OnionRows = parameters.OnionRows,
                Progress = (done, total) => context.Progress(new(done, total, "rows")),
            }, cancellation);
            var split = data.Info.Split(parameters.Split)!;
            var answer = AuditAnswer.Of(result, data.Info, split, parameters);
            var truth = AuditTruth.Of(tree, data, parameters.Split, result);
            var measures = AuditMeasures.Of(result, truth);
            var (table, figure) = (AuditTables.Suspects(result, data.Info, parameters), AuditTables.Figure(result, data.Info, parameters));
            if (parameters.Cleaned) CleanedDataset.Write(context, data, parameters.Split, result.Suspects.Flagged.Select(row => row.Number).ToHashSet(), Name, cancellation);
            await WriteAsync(JsonFile, Json(answer, result, data.Info, split, parameters).ToJsonString(Readable) + "\n");
            await WriteAsync(HtmlFile, ReportHtml.Of(AuditPage.Of(Name, answer, data.Info, result, table, figure, measures, context.Warnings)));
            await WriteAsync("tokens.csv", AuditTables.TokensCsv(result, data.Info.Labels));
            await WriteAsync(RowsFile, AuditTables.RowsCsv(result, parameters.Split, data.Info.Labels));
            await WriteAsync(TableStage.JsonFile, table.ToJson());
            await WriteAsync(FigureStage.JsonFile, figure.ToJson());
            await WriteAsync(FigureStage.SvgFile, FigureDrawing.ToSvg(figure));
            var about = new JsonObject
            {
                ["dataset"] = data.Info.Name, ["split"] = parameters.Split, ["rows"] = split.Rows, ["labels"] = Texts(data.Info.Labels), ["notes"] = Texts(context.Warnings),
            };
            await WriteAsync(MeasureSet.FileName, MeasureSet.ToJson(measures, about));
            context.Log(answer.Headline);
        }
        catch (Exception error) when (error is CorpusException or InjectionException or DefenseException)
        {
            throw new StageException(error.Message, error);
        }

        Task WriteAsync(string file, string text) => File.WriteAllTextAsync(context.Output(file), text, Utf8, cancellation);
    }

    private static JsonObject Json(AuditAnswer answer, DataAuditResult result, DatasetInfo data, SplitInfo split, AuditDataParameters parameters) => new()
    {
        ["schema"] = 1,
        ["found"] = answer.Found,
        ["dataset"] = data.Name,
        ["split"] = split.Name,
        ["rows"] = split.Rows,
        ["labels"] = Texts(data.Labels),
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
        ["classes"] = new JsonArray([.. result.Classes.Select(one => (JsonNode)new JsonObject
        {
            ["class"] = data.Labels[one.Class], ["rows"] = one.Rows, ["words"] = new JsonArray([.. one.Words.Select(words => (JsonNode)words)]),
        })]),
        ["power"] = new JsonArray([.. result.Power.Select(power => (JsonNode)new JsonObject
        {
            ["group"] = power.Group.ToString().ToLowerInvariant(), ["class"] = data.Labels[power.Class], ["pure"] = power.Pure, ["contaminated"] = power.Contaminated,
        })]),
    };

    private static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
