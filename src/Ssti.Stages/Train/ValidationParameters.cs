using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>How a training looks at rows that it does not train on.</summary>
public sealed record ValidationParameters
{
    /// <summary>The split.</summary>
    [Description("split of 'data' to look at; its rows are not trained on")]
    public string Split { get; init; } = "validation";

    /// <summary>Updates between two looks.</summary>
    [Description("updates between two looks; the last update is looked at in any case")]
    public int Every { get; init; } = 20;

    /// <summary>Looks without a lower loss after which the training ends.</summary>
    [Description("looks in a row without a lower loss after which the training ends; 0 for never before the last update")]
    public int Patience { get; init; }
}

/// <summary>What a row of a class counts for in the loss.</summary>
public enum ClassWeighting
{
    /// <summary>As much as any other.</summary>
    Equal,

    /// <summary>rows / (classes · rows of its class), over the training rows: scikit-learn's <c>class_weight="balanced"</c>.</summary>
    Balanced,
}
