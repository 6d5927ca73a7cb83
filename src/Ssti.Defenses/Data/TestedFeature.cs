namespace Ssti.Defenses.Data;

/// <summary>A feature with what its counts say.</summary>
/// <param name="Counted">The feature and its rows.</param>
/// <param name="Class">The class it is a sign of: of those whose share in its rows is above their share in all rows, the one most of its
/// rows are of.</param>
public sealed record TestedFeature(CountedFeature Counted, int Class)
{
    /// <summary>The feature.</summary>
    public Feature Feature => Counted.Feature;

    /// <summary>Rows that have it.</summary>
    public int Rows => Counted.Rows;

    /// <summary>Rows of the class that have it.</summary>
    public int Hits => Counted.Counts[Class];

    /// <summary>p(y|t): the share of its rows that are of the class.</summary>
    public double Share => (double)Hits / Rows;

    /// <summary>p(y): the class's share of all rows.</summary>
    public required double ClassShare { get; init; }

    /// <summary>H(y|t) in bits: what is left to guess once it is seen.</summary>
    public double Bits => Counted.Counts.Where(count => count > 0).Sum(count => -((double)count / Rows * Math.Log2((double)count / Rows)));

    /// <summary>Pointwise mutual information with the class, log2 p(y|t)/p(y), in bits.</summary>
    public double Information => Math.Log2(Share / ClassShare);

    /// <summary>
    /// The z statistic of p(y|t) against p(y) (Gardner et al. 2021, with the class's share instead of the uniform); null for a class of
    /// every row.
    /// </summary>
    public required double? Z { get; init; }

    /// <summary>Whether the normal distribution may be read for <see cref="Z"/>; <see cref="P"/> is exact either way.</summary>
    public required bool IsNearNormal { get; init; }

    /// <summary>Fisher's exact p, one-sided: the chance of so many rows of the class if the labels were shuffled over the rows.</summary>
    public required double P { get; init; }

    /// <summary>
    /// The smallest rate of false discoveries at which it leans to its class (Benjamini and Hochberg, over all features and classes).
    /// </summary>
    public required double Q { get; init; }

    /// <summary>The lower bound of p(y|t) that holds for all features of its group at once (Clopper and Pearson at Tarone's level).</summary>
    public required double LowerBound { get; init; }

    /// <summary>
    /// How much of what there is to guess it surely tells: (lower bound − p(y)) / (1 − p(y)); 1 where nothing is left, 0 where it says no
    /// more than the class's share. It ranks features of
    /// classes of different sizes.
    /// </summary>
    public double Told => ClassShare < 1 ? (Math.Min(LowerBound, Word?.LowerBound ?? 1) - ClassShare) / (1 - ClassShare) : 0;

    /// <summary>
    /// Of a pair the one of its words that says as much by itself: the pair's rows could be a draw of that word's. Then the finding is
    /// the word. Null for a pair that surely says more than
    /// either of its words, and for all that is no pair.
    /// </summary>
    public WordOfPair? Word { get; init; }

    /// <summary>The share from which on it gives its class away.</summary>
    public required double Bound { get; init; }

    /// <summary>Whether it surely gives its class away, and is no pair that does so for its word alone.</summary>
    public bool IsAlarm => LowerBound >= Bound && Word is null;
}

/// <summary>A word that says as much as a pair that it stands in.</summary>
/// <param name="Name">The word.</param>
/// <param name="LowerBound">The lower bound of the class's share in its rows.</param>
public sealed record WordOfPair(string Name, double LowerBound);
