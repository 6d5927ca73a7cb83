using System.Text;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>Turns evaluations, or whatever else was measured, into a table in four formats: <c>table.md</c>, <c>table.csv</c>, <c>table.tex</c>, <c>table.json</c>.</summary>
public sealed class TableStage : StageKind<TableParameters>
{
    /// <summary>The file for programs, and for showing the table again.</summary>
    public const string JsonFile = "table.json";

    /// <inheritdoc/>
    public override string Name => "table";

    /// <inheritdoc/>
    public override int Version => 4;

    /// <inheritdoc/>
    public override string Summary => "Tabulates evaluations and other measures: Markdown, CSV, LaTeX and JSON, with the definition of every number.";

    /// <inheritdoc/>
    public override bool UsesSeed(TableParameters parameters) => false;

    /// <inheritdoc/>
    public override bool TellsProfile => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("evaluations", "The evaluations to tabulate (uses: evaluate), on one test set; with layout measures, anything that measures", Many: true)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(TableParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Title)) yield return new("title", "is empty; give the table a name");
        foreach (var twice in parameters.Rows.GroupBy(row => row.Value).Where(group => group.Count() > 1))
            yield return new("rows", $"'{twice.Key}' stands twice; keep one");
        var (measures, published) = (parameters.Layout == EvaluationLayout.Measures, parameters.Rows.Where(row => row.Published.Count > 0).ToArray());
        if (published.Length > 0 && !measures && parameters.Layout != EvaluationLayout.PredictedCounts)
            yield return new("rows", "published numbers stand beside predicted counts and measures; use layout predicted-counts or measures, or leave them out");
        if (parameters.Layout == EvaluationLayout.PredictedCounts
            && published.FirstOrDefault(row => row.Published.Any(count => count < 0 || count != Math.Floor(count))) is { } odd)
            yield return new("rows", $"'{odd.Value}': published counts are whole numbers of rows");
        if (measures && parameters.Columns.Count == 0) yield return new("columns", "is missing; layout measures needs at least one, such as { measure: asr }");
        if (!measures && parameters.Columns.Count > 0) yield return new("columns", "belongs to layout measures; the other layouts have columns of their own");
        foreach (var twice in parameters.Columns.GroupBy(column => (column.Measure, column.Class)).Where(group => group.Count() > 1))
            yield return new("columns", $"'{twice.Key.Measure}' stands twice; keep one");
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(TableParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        foreach (var dimension in parameters.By)
            if (CellCheck.NoDimension(inputs("evaluations"), dimension) is { } none) yield return new("by", none);
    }

    /// <inheritdoc/>
    public override async Task RunAsync(TableParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var trees = context.Inputs["evaluations"];
        // A misspelt dimension would silently average everything into one row.
        var known = trees.SelectMany(tree => tree.Cell.Keys).Distinct().ToArray();
        if (parameters.By.FirstOrDefault(dimension => !known.Contains(dimension)) is { } unknown)
            throw new StageException($"by: no evaluation has a matrix dimension '{unknown}'; there are: {(known.Length > 0 ? string.Join(", ", known) : "none")}");
        var table = Build(parameters, trees) with { Profile = context.Profile };
        context.Log($"{Amount.Rows(table.Rows.Count)} from {Amount.Of(trees.Count, parameters.Layout == EvaluationLayout.Measures ? "stage" : "evaluation")}");
        foreach (var (file, text) in new[]
        {
            ("table.md", table.ToMarkdown()), ("table.csv", table.ToCsv()), ("table.tex", table.ToLatex()), (JsonFile, table.ToJson()),
        })
        {
            await File.WriteAllTextAsync(context.Output(file), text, new UTF8Encoding(false), cancellation);
        }
    }

    private static Table Build(TableParameters parameters, IReadOnlyList<InputTree> trees)
    {
        var options = new EvaluationTableOptions(parameters.Title)
        {
            Layout = parameters.Layout,
            Dimensions = parameters.By,
            Rows = [.. parameters.Rows.Select(row => new RowSpec(row.Value, row.Name ?? row.Value, row.Published.Count > 0 ? row.Published : null))],
            Spread = parameters.Spread,
            EachRun = parameters.EachRun,
            PublishedIn = parameters.PublishedIn,
        };
        try
        {
            if (parameters.Layout == EvaluationLayout.Measures)
            {
                return MeasureTable.Build(
                    MeasureInput.Read(trees), [.. parameters.Columns.Select(column => new MeasuredColumn(column.Measure, column.Class, column.Header))], options);
            }

            var evaluations = Evaluations(trees);
            var classes = evaluations.Count == 0 ? 0 : evaluations[0].Metrics.Labels.Count;
            if (parameters.Rows.FirstOrDefault(row => row.Published.Count > 0 && row.Published.Count != classes) is { } odd)
                throw new StageException($"rows: '{odd.Value}' has {odd.Published.Count} published counts, but the data have {classes} classes");
            return EvaluationTable.Build(evaluations, options);
        }
        catch (ArgumentException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static List<Evaluation> Evaluations(IReadOnlyList<InputTree> trees) => [.. trees.Select(tree =>
    {
        if (!tree.Has(MetricsFile.FileName) && tree.Has(MeasureSet.FileName))
            throw new StageException($"'{tree.StageName}' (uses: {tree.Uses}) is no evaluation; layout measures tabulates what it measured");
        try
        {
            return new Evaluation(tree.StageName, tree.Cell, MetricsFile.FromJson(File.ReadAllText(tree.PathOf(MetricsFile.FileName))));
        }
        catch (FormatException error)
        {
            throw new StageException($"the output of '{tree.StageName}': {error.Message}", error);
        }
    })];
}
