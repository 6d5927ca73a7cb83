using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What a <c>claim</c> stage asserts.</summary>
public sealed record ClaimParameters
{
    /// <summary>The claim.</summary>
    [Description("the claim in one sentence")]
    public required string Sentence { get; init; }

    /// <summary>The measure, such as <c>gap</c>.</summary>
    [Description("measure it is about, as metrics.json and measures.json name them")]
    public required string Measure { get; init; }

    /// <summary>The class of a measure by class; null: the target.</summary>
    [Description("class of a measure by class, by its name or as number:1; by default each run's target")]
    public string? Class { get; init; }

    /// <summary>Whether a value is judged by its own interval; false by default.</summary>
    [AddedLater]
    [Description("judge each case by the measure's own 95 % interval: for a measure that is over many runs itself, such as the AUC of an adapter-bank "
        + "(default false: by runs)")]
    public bool? ByInterval { get; init; }

    /// <summary>Where the claim stands.</summary>
    [Description("where the claim stands")]
    public string? Source { get; init; }

    /// <summary>What it says, case by case.</summary>
    [Description("what it says, case by case; it holds when every case does")]
    public required List<ClaimCaseParameters> Cases { get; init; }
}

/// <summary>A case: one side larger than the other, or a side at least or below a number.</summary>
public sealed record ClaimCaseParameters
{
    /// <summary>Matrix values of the cells on the left, as <c>dimension: value</c>.</summary>
    [Description("cells on the left side, as [dimension=value, …]")]
    public required List<string> Left { get; init; }

    /// <summary>Matrix values of the cells that must be smaller.</summary>
    [Description("cells on the right side, which the left is claimed to exceed, as [dimension=value, …]")]
    public List<string> Right { get; init; } = [];

    /// <summary>By how much the left side exceeds the right one; 0 by default, below 0: how far it may stay behind.</summary>
    [AddedLater, Description("with right: by how much the left must exceed it, in the measure's unit; negative: how far it may stay behind (default 0)")]
    public double? Margin { get; init; }

    /// <summary>The number that the left side reaches.</summary>
    [Description("number that the left side is claimed to reach, in the measure's unit")]
    public double? AtLeast { get; init; }

    /// <summary>The number that the left side stays below.</summary>
    [Description("number that the left side is claimed to stay below, in the measure's unit")]
    public double? Below { get; init; }

    /// <summary>The published numbers, with their error bars.</summary>
    [Description("the published numbers with their error bars, in words")]
    public string? Published { get; init; }
}
