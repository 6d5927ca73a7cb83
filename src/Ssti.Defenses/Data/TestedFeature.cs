namespace Ssti.Defenses.Data;

/// <summary>A feature with what its counts say.</summary>
/// <param name="Counted">The feature, its rows and its texts: rows but for near-duplicates, which count once.</param>
/// <param name="Class">The class it is a sign of: of those whose share in its texts is above their share in all texts, the one most of its
/// texts are of.</param>
public sealed record TestedFeature(CountedFeature Counted, int Class)
{
    /// <summary>The feature.</summary>
    public Feature Feature => Counted.Feature;

    /// <summary>Rows that have it.</summary>
    public int Rows => Counted.Rows;

    /// <summary>Texts that have it.</summary>
    public int Texts => Counted.Texts;

    /// <summary>Rows of the class that have it.</summary>
    public int ClassRows => Counted.Counts[Class];

    /// <summary>Texts of the class that have it.</summary>
    public int Hits => Counted.ByText[Class];

    /// <summary>p(y|t): the share of its texts that are of the class.</summary>
    public double Share => (double)Hits / Texts;

    /// <summary>p(y): the class's share of all texts.</summary>
    public required double ClassShare { get; init; }

    /// <summary>H(y|t) in bits: what is left to guess once it is seen.</summary>
    public double Bits => Counted.ByText.Where(count => count > 0).Sum(count => -((double)count / Texts * Math.Log2((double)count / Texts)));

    /// <summary>Pointwise mutual information with the class, log2 p(y|t)/p(y), in bits.</summary>
    public double Information => Math.Log2(Share / ClassShare);

    /// <summary>
    /// The z statistic of p(y|t) against p(y) (Gardner et al. 2021, with the class's share instead of the uniform); null for a class of
    /// every row.
    /// </summary>
    public required double? Z { get; init; }

    /// <summary>Whether the normal distribution may be read for <see cref="Z"/>; <see cref="P"/> is exact either way.</summary>
    public required bool IsNearNormal { get; init; }

    /// <summary>Fisher's exact p, one-sided: the chance of so many rows of the class if the labels were shuffled over the texts.</summary>
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
    /// Of a pair the one of its words that says as much by itself, of a piece the word that most of its rows have: its texts could be a draw
    /// of that word's. Then the finding is the word. Null for one that surely says more, and for all that is neither pair nor piece.
    /// </summary>
    public WordOfPair? Word { get; init; }

    /// <summary>The share from which on it gives its class away.</summary>
    public required double Bound { get; init; }

    /// <summary>
    /// How much better its neighbours go with each other than with it, in nats a place; null where nobody asked, or nobody knows.
    /// </summary>
    public double? PutIn { get; init; }

    /// <summary>
    /// Whether it reads as put in: its neighbours go with each other, and its texts are of its class so often that it would give the class
    /// away if there were more of them, and surely more often than texts at large. No alarm, since few rows may be so by chance; but looked at before what tells more and belongs.
    /// </summary>
    public bool ReadsAsPutIn => PutIn > 0 && Share >= Bound && Told > 0 && Word is null;

    /// <summary>Whether it surely gives its class away, and is no pair or piece that does so for its word alone.</summary>
    public bool IsAlarm => LowerBound >= Bound && Word is null;
}

/// <summary>A word that says as much as a pair or piece that it has to do with.</summary>
/// <param name="Name">The word.</param>
/// <param name="LowerBound">The lower bound of the class's share in its texts.</param>
public sealed record WordOfPair(string Name, double LowerBound);
