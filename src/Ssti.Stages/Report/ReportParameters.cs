using System.ComponentModel;

namespace Ssti.Stages;

/// <summary>What a <c>report</c> stage shows.</summary>
public sealed record ReportParameters
{
    /// <summary>The heading.</summary>
    [Description("heading of the page")]
    public required string Title { get; init; }

    /// <summary>A sentence under it.</summary>
    [Description("a sentence under the heading")]
    public string? Lead { get; init; }

    /// <summary>Injected rows shown of each split.</summary>
    [Description("injected rows shown of each split, the first ones")]
    public int Rows { get; init; } = 3;
}
