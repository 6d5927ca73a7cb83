using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>What is tokenised.</summary>
public sealed record TokeniseParameters
{
    /// <summary>The split.</summary>
    [Description("split to tokenise")]
    public string Split { get; init; } = "test";

    /// <summary>Tokens of a row.</summary>
    [Description("tokens of a row, as in the training: longer rows are cut")]
    public int MaxLength { get; init; } = 512;
}
