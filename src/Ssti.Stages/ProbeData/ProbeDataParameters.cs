using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>How a probe is trained and what is asked of it.</summary>
public sealed record ProbeDataParameters
{
    /// <summary>The audit that says what to ask about.</summary>
    [Description("how the suspects are found, as of audit-data")]
    public AuditDataParameters Audit { get; init; } = new() { OnionRows = 0 };

    /// <summary>The held-out split.</summary>
    [Description("split that suspects are put into, which the probe is not trained on; where the dataset has none of that name, every tenth row is kept out of training")]
    public string HeldOut { get; init; } = "test";

    /// <summary>Held-out rows.</summary>
    [Description("most held-out rows, evenly out of all")]
    public int HeldOutRows { get; init; } = 200;

    /// <summary>Suspects tried.</summary>
    [Description("how many suspects are tried, the first ones")]
    public int Tried { get; init; } = 12;

    /// <summary>Rows watched.</summary>
    [Description("training rows whose losses and hidden states are looked at; up to half of them flagged ones")]
    public int Watched { get; init; } = 400;

    /// <summary>Checks.</summary>
    [Description("times in training, evenly spaced, at which the losses of these rows are taken")]
    public int Checks { get; init; } = 5;

    /// <summary>LoRA's r.</summary>
    [Description("LoRA rank of the probe; its head is trained, too")]
    public int Rank { get; init; } = 8;

    /// <summary>Tokens of a row.</summary>
    [Description("most tokens of a row; fewer are taken where nineteen of twenty rows are shorter. Longer rows are cut, shorter ones padded on the right")]
    public int MaxLength { get; init; } = 128;

    /// <summary>Updates.</summary>
    [Description("updates")]
    public int Steps { get; init; } = 200;

    /// <summary>Rows of an update.</summary>
    [Description("rows of an update")]
    public int BatchSize { get; init; } = 16;

    /// <summary>Peak learning rate.</summary>
    [Description("peak learning rate of the cosine schedule")]
    public double LearningRate { get; init; } = 1e-3;
}
