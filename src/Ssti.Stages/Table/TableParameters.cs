using System.ComponentModel;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>What a <c>table</c> stage shows.</summary>
public sealed record TableParameters
{
    /// <summary>The line above the table.</summary>
    [Description("line above the table")]
    public required string Title { get; init; }

    /// <summary>Which numbers: <c>predicted-counts</c> (the paper's table 1), <c>metrics</c>, <c>per-class</c>, <c>confusion</c> or <c>measures</c>.</summary>
    [Description("predicted-counts (the paper's table 1), metrics, per-class (a row for each class), confusion "
        + "(a row for each true class, a column for each predicted one), or measures: those under 'columns', of any stage that measures")]
    public EvaluationLayout Layout { get; init; } = EvaluationLayout.PredictedCounts;

    /// <summary>For layout <c>measures</c>: the columns in their order.</summary>
    [Description("for layout measures: the columns in their order")]
    public List<TableColumn> Columns { get; init; } = [];

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

    /// <summary>Published numbers, printed beside the measured ones.</summary>
    [Description("published numbers, printed beside the measured ones: predicted counts, one a class; with layout measures one a column, "
        + "of the first ones, in the measures' units")]
    public List<double> Published { get; init; } = [];
}

/// <summary>A column of a table of measures.</summary>
public sealed record TableColumn
{
    /// <summary>The measure.</summary>
    [Description("measure, as metrics.json and measures.json name it")]
    public required string Measure { get; init; }

    /// <summary>The class; null for all rows.</summary>
    [Description("class, by name or as number:1, of a measure by class; by default all rows, or each run's target where it is measured by class alone")]
    public string? Class { get; init; }

    /// <summary>What stands above it.</summary>
    [Description("what stands above it; by default the measure's own words")]
    public string? Header { get; init; }
}
