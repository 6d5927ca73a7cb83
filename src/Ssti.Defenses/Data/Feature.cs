namespace Ssti.Defenses.Data;

/// <summary>Something in texts that may give their label away.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">The word, the first word of a pair (empty: the beginning of a text), the shape, or the name of the family or form.</param>
/// <param name="Second">The second word of a pair (empty: the end of a text); empty for all others.</param>
public sealed record Feature(FeatureKind Kind, string Name, string Second = "")
{
    /// <summary>What people call it.</summary>
    public override string ToString() => Kind switch
    {
        FeatureKind.Word => $"the word '{Name}'",
        FeatureKind.Pair when Name.Length == 0 => $"'{Second}' as the first word",
        FeatureKind.Pair when Second.Length == 0 => $"'{Name}' as the last word",
        FeatureKind.Pair => $"the words '{Name} {Second}'",
        FeatureKind.Shape => $"words written as {Name}",
        FeatureKind.Family => $"the family: {Name}",
        _ => $"the text {Name}",
    };
}

/// <summary>In how many rows of each class a feature is.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Counts">Rows of each class that have it.</param>
public sealed record CountedFeature(Feature Feature, IReadOnlyList<int> Counts)
{
    /// <summary>Rows that have it.</summary>
    public int Rows { get; } = Counts.Sum();
}

/// <summary>The features of a split, counted.</summary>
/// <param name="Features">Those in at least the least number of rows, in no order that means anything.</param>
/// <param name="ClassRows">Rows of each class.</param>
/// <param name="WordsFrom">Words and shapes in fewer rows than this were not counted.</param>
/// <param name="PairsFrom">Pairs in fewer rows than this were not counted.</param>
public sealed record FeatureCounts(IReadOnlyList<CountedFeature> Features, IReadOnlyList<long> ClassRows, int WordsFrom, int PairsFrom)
{
    /// <summary>All rows.</summary>
    public long Rows { get; } = ClassRows.Sum();
}
