using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>What a <c>split</c> stage holds out.</summary>
public sealed record SplitParameters
{
    /// <summary>The split to hold rows out of.</summary>
    [Description("split to hold rows out of; what is not held out stays in it")]
    public string From { get; init; } = "train";

    /// <summary>The splits to make.</summary>
    [Description("splits to make of what is held out, in order")]
    public required List<HeldOutSplit> Into { get; init; }
}

/// <summary>A split that is made of rows held out.</summary>
public sealed record HeldOutSplit
{
    /// <summary>Its name.</summary>
    [Description("name of the new split, such as validation")]
    public required string Name { get; init; }

    /// <summary>Its share of every class.</summary>
    [Description("share of the rows of every class, from 0 to 1; at least one text of each class")]
    public required double Share { get; init; }
}
