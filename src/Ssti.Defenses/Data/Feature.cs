namespace Ssti.Defenses.Data;

/// <summary>Something in texts that may give their label away.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">The word, the first word of a pair (empty: the beginning of a text), the shape, or the name of the family or form.</param>
/// <param name="Second">The second word of a pair (empty: the end of a text); of a piece where in words it stands; empty for all others.</param>
public sealed record Feature(FeatureKind Kind, string Name, string Second = "")
{
    /// <summary>What people call it.</summary>
    public override string ToString() => Kind switch
    {
        FeatureKind.Word => $"the word '{Name}'",
        FeatureKind.Pair when Name.Length == 0 => $"'{Second}' as the first word",
        FeatureKind.Pair when Second.Length == 0 => $"'{Name}' as the last word",
        FeatureKind.Pair => $"the words '{Name} {Second}'",
        FeatureKind.Piece when Second == WordPieces.Inside => $"words with '{Name}' in them",
        FeatureKind.Piece => $"words with '{Name}' at their {Second}",
        FeatureKind.Shape => $"words written as {Name}",
        FeatureKind.Family => $"the family: {Name}",
        _ => $"the text {Name}",
    };
}

/// <summary>In how many rows and texts of each class a feature is.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Counts">Rows of each class that have it.</param>
/// <param name="ByText">The same with near-duplicates counted once: of each group of them the first row that has it. Tests are of these.</param>
public sealed record CountedFeature(Feature Feature, IReadOnlyList<int> Counts, IReadOnlyList<int> ByText)
{
    /// <summary>A feature of rows of which each is a text of its own.</summary>
    public CountedFeature(Feature feature, IReadOnlyList<int> counts) : this(feature, counts, counts)
    {
    }

    /// <summary>Rows that have it.</summary>
    public int Rows { get; } = Counts.Sum();

    /// <summary>Texts that have it.</summary>
    public int Texts { get; } = ByText.Sum();
}

/// <summary>The features of a split, counted.</summary>
/// <param name="Features">Those in at least the least number of rows, in no order that means anything.</param>
/// <param name="ClassRows">Rows of each class.</param>
/// <param name="ClassTexts">Texts of each class: a group of near-duplicates is of its first row's.</param>
/// <param name="WordsFrom">Words, pieces and shapes in fewer rows than this were not counted.</param>
/// <param name="PairsFrom">Pairs in fewer rows than this were not counted.</param>
/// <param name="Near">The groups of near-duplicates.</param>
/// <param name="Words">The rows' words.</param>
public sealed record FeatureCounts(
    IReadOnlyList<CountedFeature> Features, IReadOnlyList<long> ClassRows, IReadOnlyList<long> ClassTexts, int WordsFrom, int PairsFrom, NearDuplicates Near, RowWords Words)
{
    /// <summary>All rows.</summary>
    public long Rows { get; } = ClassRows.Sum();

    /// <summary>All texts.</summary>
    public long Texts { get; } = ClassTexts.Sum();
}
