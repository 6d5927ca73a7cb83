using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>One evaluated model: the metrics, and where in an experiment's grid they stand.</summary>
/// <param name="Name">Of the stage instance, such as <c>evaluate@base-40</c>.</param>
/// <param name="Cell">Its matrix values, such as <c>row: base, seed: 40</c>; in the order of the matrix.</param>
/// <param name="Metrics">What was measured.</param>
public sealed record Evaluation(string Name, IReadOnlyDictionary<string, string> Cell, MetricsFile Metrics)
{
    /// <summary>The stage's name without its cell.</summary>
    public string Stage => Name.Split('@')[0];
}

/// <summary>A row asked for in a table.</summary>
/// <param name="Value">The value of the row dimension, or, for an evaluation outside that dimension, its stage's name.</param>
/// <param name="Name">What the table calls it.</param>
/// <param name="Published">Published numbers to print beside the measured ones: predicted counts, one a class; in a table of measures, one a column.</param>
public sealed record RowSpec(string Value, string Name, IReadOnlyList<double>? Published = null);

/// <summary>What a table shall hold.</summary>
/// <param name="Title">Its title.</param>
public sealed record EvaluationTableOptions(string Title)
{
    /// <summary>Which numbers it shows.</summary>
    public EvaluationLayout Layout { get; init; } = EvaluationLayout.PredictedCounts;

    /// <summary>The matrix dimensions whose values are the rows; all others are averaged over. With several, a row's value is theirs joined by a comma and a space.</summary>
    public required IReadOnlyList<string> Dimensions { get; init; }

    /// <summary>The rows in their order; empty for all, in the order of the evaluations.</summary>
    public IReadOnlyList<RowSpec> Rows { get; init; } = [];

    /// <summary>The spread printed beside a mean of several runs.</summary>
    public SpreadKind Spread { get; init; } = SpreadKind.Range;

    /// <summary>Whether each run has a row of its own under its mean.</summary>
    public bool EachRun { get; init; }

    /// <summary>Where the published numbers stand, for the note.</summary>
    public string? PublishedIn { get; init; }
}

/// <summary>What the columns of a table of evaluations are: see <see cref="Layout"/>.</summary>
public enum EvaluationLayout
{
    /// <summary>The paper's table 1: how many rows of the triggered test set go to each class, with clean accuracy, ASR and its clean rate beside.</summary>
    PredictedCounts,

    /// <summary>Accuracy, balanced accuracy and weighted F1 on the clean set, ASR with its clean rate, balanced gap with its ceiling and its normalised form.</summary>
    Metrics,

    /// <summary>A row for each class: precision, recall, F1, support and predicted counts, ASR and its clean rate with the class as the target.</summary>
    PerClass,

    /// <summary>A row for each true class and test set, a column for each predicted class.</summary>
    Confusion,

    /// <summary>Columns named one by one, of whatever any stage measured: see <see cref="Measures.MeasureTable"/>.</summary>
    Measures,
}
