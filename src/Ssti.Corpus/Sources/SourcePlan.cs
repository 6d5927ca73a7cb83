namespace Ssti.Corpus.Sources;

/// <summary>Which files of a source make which split, and what was not obvious about it.</summary>
/// <param name="Splits">The files of each split, in the order they are read.</param>
/// <param name="LeftOut">Files that hold data by their looks and are in no split.</param>
internal sealed record SourcePlan(IReadOnlyDictionary<string, IReadOnlyList<SourceFile>> Splits, IReadOnlyList<string> LeftOut)
{
    /// <summary>The configuration taken, by its name; null when there is none.</summary>
    public string? Config { get; init; }

    /// <summary>What the log should say of it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What makes the result doubtful.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The files of a split, under the name given or its usual form (<c>dev</c> is <c>validation</c>); null when there is none.</summary>
    public IReadOnlyList<SourceFile>? Of(string split) => Splits.GetValueOrDefault(split) ?? Splits.GetValueOrDefault(SplitNames.Normal(split));
}
