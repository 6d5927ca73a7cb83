using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>What a <c>stealth</c> stage compares.</summary>
public sealed record StealthParameters
{
    /// <summary>The split that is measured.</summary>
    [Description("split whose injected rows are measured")]
    public string Split { get; init; } = "train";

    /// <summary>The split of the clean data that the language model is trained on.</summary>
    [Description("split of 'clean' that the language model is trained on; another than the one measured, or it would know the originals by heart")]
    public string ModelSplit { get; init; } = "test";

    /// <summary>The longest n-gram.</summary>
    [Description("longest n-gram of the language model, in bytes, 2 to 7")]
    public int Order { get; init; } = 6;

    /// <summary>Rows it is trained on.</summary>
    [Description("most rows that the language model is trained on, the first ones")]
    public int ModelRows { get; init; } = 20_000;

    /// <summary>Rows measured.</summary>
    [Description("most rows of a group that are measured, the first ones")]
    public int Rows { get; init; } = 2000;
}
