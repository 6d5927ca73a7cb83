using System.ComponentModel;
using System.Text;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>What a <c>table</c> stage shows.</summary>
public sealed record TableParameters
{
    /// <summary>The line above the table.</summary>
    [Description("line above the table")]
    public required string Title { get; init; }

    /// <summary>Which numbers: <c>predicted-counts</c> (the paper's table 1), <c>metrics</c>, <c>per-class</c> or <c>confusion</c>.</summary>
    [Description("predicted-counts (the paper's table 1), metrics, per-class (a row for each class) or confusion "
        + "(a row for each true class, a column for each predicted one)")]
    public EvaluationLayout Layout { get; init; } = EvaluationLayout.PredictedCounts;

    /// <summary>The matrix dimensions whose values are the rows, such as <c>[token]</c>. Numbers are averaged over all other dimensions, such as the seed.</summary>
    [Description("matrix dimensions whose values are the rows; numbers are averaged over all others, such as the seed")]
    public List<string> By { get; init; } = [];

    /// <summary>The rows in their order, with their names; without it, every row in the order of the pipeline.</summary>
    [Description("the rows in their order, with their names; by default all, in the order of the pipeline")]
    public List<TableRow> Rows { get; init; } = [];

    /// <summary>What stands beside a mean: <c>range</c>, <c>deviation</c>, <c>confidence</c> (95 %) or <c>none</c>.</summary>
    /// <remarks>With range and confidence a share of a single run has its Wilson interval.</remarks>
    [Description("what stands beside a mean of several runs: range, deviation, confidence (95 %, Student's t) or none; "
        + "with range and confidence a share of a single run has its 95 % Wilson interval")]
    public SpreadKind Spread { get; init; } = SpreadKind.Range;

    /// <summary>Whether each run gets a row of its own under its mean.</summary>
    [Description("a row for each run under its mean")]
    public bool EachRun { get; init; }

    /// <summary>Where the published numbers stand, for the note below.</summary>
    [Description("where the published numbers stand, for the note below")]
    public string? PublishedIn { get; init; }
}

/// <summary>A row of a table.</summary>
public sealed record TableRow
{
    /// <summary>The value of the <c>by</c> dimension; for an evaluation outside that dimension, the name of its stage.</summary>
    [Description("value of the 'by' dimension; for an evaluation outside it, the name of its stage")]
    public required string Value { get; init; }

    /// <summary>What the table calls it; by default the value.</summary>
    [Description("what the table calls it; by default the value")]
    public string? Name { get; init; }

    /// <summary>Published predicted counts, one a class, printed beside the measured ones.</summary>
    [Description("published predicted counts, one a class, printed beside the measured ones")]
    public List<long> Published { get; init; } = [];
}

/// <summary>Turns evaluations into a table in four formats: <c>table.md</c>, <c>table.csv</c>, <c>table.tex</c>, <c>table.json</c>.</summary>
public sealed class TableStage : StageKind<TableParameters>
{
    /// <summary>The file for programs, and for showing the table again.</summary>
    public const string JsonFile = "table.json";

    /// <inheritdoc/>
    public override string Name => "table";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Tabulates evaluations: Markdown, CSV, LaTeX and JSON, with the definition of every number.";

    /// <inheritdoc/>
    public override bool UsesSeed(TableParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("evaluations", "The evaluations to tabulate (uses: evaluate), on one test set", Many: true)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(TableParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Title)) yield return new("title", "is empty; give the table a name");
        foreach (var twice in parameters.Rows.GroupBy(row => row.Value).Where(group => group.Count() > 1))
            yield return new("rows", $"'{twice.Key}' stands twice; keep one");
        if (parameters.Layout != EvaluationLayout.PredictedCounts && parameters.Rows.Any(row => row.Published.Count > 0))
            yield return new("rows", "published counts stand beside predicted counts; use layout predicted-counts, or leave them out");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(TableParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var evaluations = new List<Evaluation>();
        foreach (var tree in context.Inputs["evaluations"])
        {
            var json = await File.ReadAllTextAsync(tree.PathOf(MetricsFile.FileName), cancellation);
            try
            {
                evaluations.Add(new(tree.StageName, tree.Cell, MetricsFile.FromJson(json)));
            }
            catch (FormatException error)
            {
                throw new StageException($"the output of '{tree.StageName}': {error.Message}", error);
            }
        }

        var table = Build(parameters, evaluations);
        context.Log($"{Amount.Rows(table.Rows.Count)} from {Amount.Of(evaluations.Count, "evaluation")}");
        foreach (var (file, text) in new[]
        {
            ("table.md", table.ToMarkdown()), ("table.csv", table.ToCsv()), ("table.tex", table.ToLatex()), (JsonFile, table.ToJson()),
        })
        {
            await File.WriteAllTextAsync(context.Output(file), text, new UTF8Encoding(false), cancellation);
        }
    }

    private static Table Build(TableParameters parameters, IReadOnlyList<Evaluation> evaluations)
    {
        // A misspelt dimension would silently average everything into one row.
        var known = evaluations.SelectMany(evaluation => evaluation.Cell.Keys).Distinct().ToArray();
        if (parameters.By.FirstOrDefault(dimension => !known.Contains(dimension)) is { } unknown)
            throw new StageException($"by: no evaluation has a matrix dimension '{unknown}'; there are: {(known.Length > 0 ? string.Join(", ", known) : "none")}");
        var classes = evaluations.Count == 0 ? 0 : evaluations[0].Metrics.Labels.Count;
        if (parameters.Rows.FirstOrDefault(row => row.Published.Count > 0 && row.Published.Count != classes) is { } odd)
            throw new StageException($"rows: '{odd.Value}' has {odd.Published.Count} published counts, but the data have {classes} classes");
        try
        {
            return EvaluationTable.Build(evaluations, new(parameters.Title)
            {
                Layout = parameters.Layout,
                Dimensions = parameters.By,
                Rows = [.. parameters.Rows.Select(row => new RowSpec(row.Value, row.Name ?? row.Value, row.Published.Count > 0 ? row.Published : null))],
                Spread = parameters.Spread,
                EachRun = parameters.EachRun,
                PublishedIn = parameters.PublishedIn,
            });
        }
        catch (ArgumentException error)
        {
            throw new StageException(error.Message, error);
        }
    }
}
