using System.ComponentModel;
using Ssti.Engine.Stages;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>What a <c>figure</c> stage draws.</summary>
public sealed record FigureParameters
{
    /// <summary>The line above the figure.</summary>
    [Description("line above the figure")]
    public required string Title { get; init; }

    /// <summary>How it is drawn.</summary>
    [Description("lines (values over an ordered axis, with error bars), bars, heat-map, or histogram (of the counts that a token-entropy stage leaves)")]
    public FigureForm Form { get; init; } = FigureForm.Lines;

    /// <summary>The measure, such as <c>gap</c>; not for a histogram.</summary>
    [Description("measure to draw, such as gap or asr, as metrics.json and measures.json name them; not for a histogram")]
    public string? Measure { get; init; }

    /// <summary>The class of a measure by class; null: the target.</summary>
    [Description("class of a measure by class, by its name or as number:1; by default each run's target")]
    public string? Class { get; init; }

    /// <summary>The matrix dimension along X.</summary>
    [Description("matrix dimension along the horizontal axis")]
    public string? X { get; init; }

    /// <summary>The matrix dimension that makes the series, or the rows of a heat map.</summary>
    [Description("matrix dimension whose values are the series (of a heat map: the rows); by default a single series")]
    public string? By { get; init; }

    /// <summary>Half of an error bar's length.</summary>
    [Description("error bars over the other dimensions, such as seeds: range, deviation, confidence (95 %) or none")]
    public SpreadKind Spread { get; init; } = SpreadKind.Range;

    /// <summary>What stands along X; by default the dimension.</summary>
    [Description("words along the horizontal axis; by default the dimension")]
    public string? XTitle { get; init; }

    /// <summary>What stands along Y; by default the measure and its unit.</summary>
    [Description("words along the vertical axis; by default the measure and its unit")]
    public string? YTitle { get; init; }

    /// <summary>Published values to draw beside ours.</summary>
    [Description("published values, drawn beside the measured ones as series of their own")]
    public List<PublishedSeries> Published { get; init; } = [];

    /// <summary>Where they were published.</summary>
    [Description("where the published values stand, for the note below")]
    public string? PublishedIn { get; init; }

    /// <summary>Whether a histogram also shows the second input minus the first.</summary>
    [Description("of a histogram of two inputs: draw the second minus the first as well")]
    public bool Difference { get; init; }

    /// <summary>Whether that difference is drawn without the two.</summary>
    [AddedLater, Description("of a histogram of two inputs: draw the second minus the first, and neither of them (default false)")]
    public bool? DifferenceOnly { get; init; }
}

/// <summary>A published line or bars of one colour.</summary>
public sealed record PublishedSeries
{
    /// <summary>The value of the <c>by</c> dimension it belongs to.</summary>
    [Description("value of the 'by' dimension it belongs to; any name without one")]
    public required string Value { get; init; }

    /// <summary>One value a position along X, in its order.</summary>
    [Description("one value for each value of the 'x' dimension, in its order")]
    public required List<double> Values { get; init; }

    /// <summary>Half lengths of the error bars.</summary>
    [Description("half lengths of the published error bars; by default none")]
    public List<double> Errors { get; init; } = [];
}

/// <summary>How a figure is drawn.</summary>
public enum FigureForm
{
    /// <summary>Lines with error bars.</summary>
    Lines,

    /// <summary>Bars with error bars.</summary>
    Bars,

    /// <summary>Colours.</summary>
    HeatMap,

    /// <summary>Counts by bin.</summary>
    Histogram,
}
