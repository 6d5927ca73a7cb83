using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>How a dataset is audited.</summary>
public sealed record AuditDataParameters
{
    /// <summary>The split.</summary>
    [Description("split that a model is to be trained on; the other splits are looked at for texts that stand in both, and for whether an alarm holds there, too")]
    public string Split { get; init; } = "train";

    /// <summary>What counts as giving a label away.</summary>
    [Description("a word gives a label away when, for sure, at least this share of the rows that have it are of one class")]
    public double GivesAway { get; init; } = 0.9;

    /// <summary>The chance of any false alarm.</summary>
    [Description("chance that a set in which nothing gives a label away raises any alarm, over all its words, pairs, pieces and families together")]
    public double FalseAlarms { get; init; } = 0.05;

    /// <summary>The rate of false discoveries among what leans to a class.</summary>
    [Description("of the words said to lean to a class (which is no alarm: words have meanings), the share that may lean by chance")]
    public double FalseDiscoveries { get; init; } = 0.05;

    /// <summary>The least rows of a word.</summary>
    [Description("words, pairs, pieces and shapes in fewer rows are not looked at; large sets raise it for pairs, to keep within memory, and say so")]
    public int LeastRows { get; init; } = 10;

    /// <summary>How many features stand in the files.</summary>
    [Description("how many features are listed in tokens.csv, those that tell most")]
    public int Listed { get; init; } = 1000;

    /// <summary>Of how many features the rows are looked for.</summary>
    [Description("of how many of these the rows are looked for, to tell which are one finding under several names")]
    public int Suspects { get; init; } = 60;

    /// <summary>Rows that ONION reads.</summary>
    [Description("rows of each of two groups, flagged and others, that are measured by ONION (the fall of surprise without a word); 0 for none")]
    public int OnionRows { get; init; } = 200;

    /// <summary>Whether a cleaned dataset is written.</summary>
    [Description("whether the dataset without the flagged rows is written as well: then the output is a dataset that other stages take")]
    public bool Cleaned { get; init; }
}
