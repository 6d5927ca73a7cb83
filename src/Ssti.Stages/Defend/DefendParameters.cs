using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>A cure for data or for a model.</summary>
public enum DefendMethod
{
    /// <summary>Nothing, as a control.</summary>
    None,

    /// <summary>The top directions of what an adapter adds are kept, the others dropped.</summary>
    SvdTruncate,

    /// <summary>Random words are dropped from rows.</summary>
    TokenDrop,

    /// <summary>Rows that somebody flagged are dropped.</summary>
    RemoveRows,

    /// <summary>Words that surprise a language model are dropped.</summary>
    Onion,

    /// <summary>Rows whose prediction stays sure under disturbance are rejected.</summary>
    Strip,

    /// <summary>Rows with the largest spectral signatures are dropped.</summary>
    Spectral,
}

/// <summary>What a <c>defend</c> stage does.</summary>
public sealed record DefendParameters
{
    /// <summary>The method.</summary>
    [Description("none (a control), token-drop, remove-rows (needs 'flagged' or 'rows'), onion (needs 'clean'), spectral (needs 'model' and "
        + "'adapter'): these make a dataset of 'data'; "
        + "svd-truncate makes an adapter of 'adapter'; strip rejects test rows of 'clean' and 'triggered', and measures what is left of the attack. "
        + "Inputs and parameters of other methods are of no effect")]
    public required DefendMethod Method { get; init; }

    /// <summary>The splits that are changed.</summary>
    [Description("splits of 'data' that are changed; the others are passed on")]
    public List<string> Splits { get; init; } = ["train"];

    /// <summary>svd-truncate: directions that are kept.</summary>
    [Description("svd-truncate: directions of each module's ΔW that are kept, the largest singular values")]
    public int Keep { get; init; } = 1;

    /// <summary>token-drop and spectral: how much is dropped.</summary>
    [Description("token-drop: share of the words of each row; spectral: share of the rows of each class")]
    public double Share { get; init; } = 0.1;

    /// <summary>onion and strip: what may be lost of clean data.</summary>
    [Description(
        "onion: share of the words of clean rows that may be dropped; strip: share of the clean rows that may be rejected. The bound is set by "
        + "clean rows of 'model-split'")]
    public double FalseAlarms { get; init; } = 0.05;

    /// <summary>onion and strip: the split of clean rows to learn from.</summary>
    [Description("onion and strip: split of 'clean' that is learnt from; no split that is changed or tested")]
    public string ModelSplit { get; init; } = "test";

    /// <summary>onion and strip: most rows to learn from.</summary>
    [Description("onion and strip: most rows of it, spread over the split")]
    public int ModelRows { get; init; } = 2000;

    /// <summary>onion: the longest n-gram.</summary>
    [Description("onion: longest n-gram of its language model, in bytes, 2 to 7")]
    public int Order { get; init; } = 6;

    /// <summary>remove-rows: a file of ids.</summary>
    [Description(
        "remove-rows: file of the rows' ids (CSV with a column id, or JSON lines with that field; with 'split' where rows of several stand in "
        + "it), instead of the input 'flagged'")]
    public SourcePath? Rows { get; init; }

    /// <summary>remove-rows: the file of the input.</summary>
    [Description("remove-rows: which file of 'flagged' names the rows; by default dropped.<split>.jsonl, or rows.csv of an audit")]
    public string? RowsFile { get; init; }

    /// <summary>remove-rows: of those, the rows that stand there for one reason.</summary>
    [Description("remove-rows: only the rows of which the file says this under 'why', such as suspect, duplicate or conflict of an audit; by default all")]
    public string? Why { get; init; }

    /// <summary>strip: the split that is tested.</summary>
    [Description("strip: split of 'clean' and 'triggered' that is tested")]
    public string Split { get; init; } = "test";

    /// <summary>strip: disturbed copies.</summary>
    [Description("strip: disturbed copies of a row")]
    public int Copies { get; init; } = 8;

    /// <summary>strip and spectral: rows of a pass.</summary>
    [Description("strip and spectral: rows of one pass through the model; another number may change last digits")]
    public int BatchSize { get; init; } = 128;
}
