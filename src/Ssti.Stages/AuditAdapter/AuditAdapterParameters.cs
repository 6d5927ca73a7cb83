using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>How an adapter is looked at.</summary>
public sealed record AuditAdapterParameters
{
    /// <summary>A PEFT folder.</summary>
    [Description("local folder of an adapter (PEFT), for its weights alone; instead of the input 'adapter', which knows its head and can be probed")]
    public SourcePath? Source { get; init; }

    /// <summary>A bank that was exported.</summary>
    [Description("an exported bank of adapters (bank.jsonl, or the folder that holds it), instead of the input 'bank'")]
    public SourcePath? BankFile { get; init; }

    /// <summary>The level of the verdict by weights.</summary>
    [Description("by weights, an adapter is found when at most this share of clean adapters of the bank would look as poisoned, 0 to 1")]
    public double Level { get; init; } = 0.05;

    /// <summary>The split of clean rows.</summary>
    [Description("split of 'data' that prefixes and controls come from; its rows must be clean")]
    public string Split { get; init; } = "test";

    /// <summary>Prefixes.</summary>
    [Description("rows whose first words tokens are put behind, spread over the split")]
    public int Prefixes { get; init; } = 32;

    /// <summary>Words of a prefix.</summary>
    [Description("most words of a prefix; fewer where a token would not fit into the model's rows behind them")]
    public int PrefixWords { get; init; } = 20;

    /// <summary>Controls.</summary>
    [Description("words of the rows that say what any word does, from frequent to rare, and as many runs of 2, of 4 and of 8 words, for suspects of several pieces; at least 10")]
    public int Controls { get; init; } = 30;

    /// <summary>Pieces of the vocabulary.</summary>
    [Description("whole words of the model's vocabulary that the rows do not hold, tried beside the built-in battery; 0 for none")]
    public int Vocabulary { get; init; } = 100;

    /// <summary>Further suspects.</summary>
    [Description("file of further tokens to try, one a line")]
    public SourcePath? Suspects { get; init; }

    /// <summary>The bound of an outlier.</summary>
    [Description("by probing, a token is found when what it does lies so many deviations of the controls from their median, and twice as far as nine in ten of them, …")]
    public double Threshold { get; init; } = 6;

    /// <summary>The least effect.</summary>
    [Description("… and it turns at least this share of the rows of other classes to one class, 0 to 1")]
    public double Turned { get; init; } = 0.5;

    /// <summary>Copies of a row under STRIP.</summary>
    [Description("disturbed copies of a row for its entropy (STRIP)")]
    public int StripCopies { get; init; } = 8;

    /// <summary>Rows of a pass.</summary>
    [Description("rows of one pass through the model; another number may change last digits")]
    public int BatchSize { get; init; } = 128;
}
