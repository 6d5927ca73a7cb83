using System.ComponentModel;

namespace Ssti.Example.Tests;

/// <summary>Which words are dropped.</summary>
public sealed record TokenDropParameters
{
    [Description("share of the words of each row to drop, from 0 to below 1; at least one word stays")]
    public required double Share { get; init; }

    [Description("splits to drop words in; all others are passed on as they are")]
    public IReadOnlyList<string> Splits { get; init; } = ["train"];
}
