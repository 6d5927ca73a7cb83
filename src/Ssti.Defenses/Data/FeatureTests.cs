using Ssti.Defenses.Data.Statistics;

namespace Ssti.Defenses.Data;

/// <summary>What the counts of all features of a split say together.</summary>
/// <param name="Ranked">The features that tell most, alarms first, then what reads as put in, then by what they surely tell; as many as were
/// asked for.</param>
/// <param name="Tests">Tests of whether a feature leans to a class: features times classes.</param>
/// <param name="Leaning">Pairs of a feature and a class to which it leans at the rate of false discoveries.</param>
/// <param name="LeaningFrom">The largest p-value among these; null when there is none.</param>
/// <param name="Levels">The level of a single test in each group.</param>
public sealed record FeatureTests(
    IReadOnlyList<TestedFeature> Ranked, long Tests, long Leaning, double? LeaningFrom, IReadOnlyDictionary<FeatureGroup, GroupLevel> Levels)
{
    /// <summary>
    /// Features that would raise an alarm if each row were a text of its own, and raise none, with their class; those with most rows first.
    /// Whoever puts a trigger into copies of one text must not pass unseen.
    /// </summary>
    public IReadOnlyList<(CountedFeature Counted, int Class)> InCopies { get; private init; } = [];

    /// <summary>Features that surely give a class away, best first.</summary>
    public IReadOnlyList<TestedFeature> Alarms => [.. Ranked.Where(feature => feature.IsAlarm)];

    /// <summary>Which group a kind is tested in.</summary>
    public static FeatureGroup GroupOf(FeatureKind kind) => kind switch
    {
        FeatureKind.Word or FeatureKind.Shape => FeatureGroup.Words,
        FeatureKind.Pair => FeatureGroup.Pairs,
        FeatureKind.Piece => FeatureGroup.Pieces,
        _ => FeatureGroup.Families,
    };

    /// <summary>Tests them.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="levels">What is called what.</param>
    /// <param name="listed">How many are ranked.</param>
    /// <exception cref="DefenseException">One class has all rows.</exception>
    public static FeatureTests Of(FeatureCounts counts, AuditLevels levels, int listed)
    {
        if (counts.ClassRows.Count(rows => rows > 0) < 2)
            throw new DefenseException("all rows are of one class: every word would tell it, and none says anything");
        if (counts.ClassTexts.Count(texts => texts > 0) < 2)
            throw new DefenseException($"the {counts.Rows} rows are near-duplicates of {counts.Texts} texts of one class: every word would tell it, and none says anything");
        double[] shares = [.. counts.ClassTexts.Select(texts => (double)texts / counts.Texts)];
        var groups = Enum.GetValues<FeatureGroup>().ToDictionary(group => group, group => LevelOf(counts, shares, levels, group));
        var (p, at) = (new List<double>(), new List<(int Feature, int Class)>());
        for (var index = 0; index < counts.Features.Count; index++)
        {
            var feature = counts.Features[index];
            for (var label = 0; label < shares.Length; label++)
            {
                if (shares[label] == 0 || feature.ByText[label] <= feature.Texts * shares[label]) continue;
                // Of a group with rows of two classes a feature may have a row of one, and all rows together count as the other.
                var marked = Math.Max(counts.ClassTexts[label], feature.ByText[label]);
                p.Add(ExactTests.HypergeometricUpper(feature.ByText[label], feature.Texts, marked, counts.Texts));
                at.Add((index, label));
            }
        }

        var tests = (long)counts.Features.Count * shares.Count(share => share > 0);
        var rates = ManyTests.FalseDiscoveryRates(p, tests);
        var found = Enumerable.Range(0, p.Count).Where(test => rates[test] <= levels.FalseDiscoveries).ToArray();
        var words = counts.Features.Where(feature => feature.Feature.Kind == FeatureKind.Word).ToDictionary(feature => feature.Feature.Name, StringComparer.Ordinal);
        var best = Enumerable.Range(0, p.Count).GroupBy(test => at[test].Feature)
            .Select(group => group.MaxBy(test => counts.Features[group.Key].ByText[at[test].Class]))
            .Select(test => (Test: test, Guess: Guess(at[test])))
            .OrderByDescending(one => one.Guess).ThenBy(one => counts.Features[at[one.Test].Feature].ToString(), StringComparer.Ordinal).Take(listed)
            .Select(one => one.Test).ToArray();
        var wordOf = MainWords([.. best.Select(test => counts.Features[at[test].Feature].Feature).Where(feature => feature.Kind == FeatureKind.Piece)], words.Values);
        var ranked = best.Select(test =>
        {
            var (feature, label) = (counts.Features[at[test].Feature], at[test].Class);
            return new TestedFeature(feature, label)
            {
                ClassShare = shares[label], Z = ExactTests.Z(feature.ByText[label], feature.Texts, shares[label]),
                IsNearNormal = ExactTests.IsNearNormal(feature.Texts, shares[label]),
                P = p[test], Q = rates[test], Bound = levels.Bound(shares[label]),
                LowerBound = ExactTests.LowerBound(feature.ByText[label], feature.Texts, groups[GroupOf(feature.Feature.Kind)].Level),
                Word = feature.Feature.Kind switch
                {
                    FeatureKind.Pair => AsTheWord(feature, label, WordOf(feature, label, words), groups),
                    FeatureKind.Piece => AsTheWord(feature, label, MainWord(feature, wordOf), groups),
                    _ => null,
                },
            };
        });
        return new FeatureTests([.. ranked.Order(Best)], tests, found.Length, found.Length == 0 ? null : found.Max(test => p[test]), groups)
        {
            InCopies =
            [
                .. counts.Features.Where(feature => feature.Texts < feature.Rows)
                    .Select(feature => (Feature: feature, Class: feature.Counts.Index().MaxBy(count => count.Item).Index))
                    .Where(one => IsSure(one.Feature.Feature, one.Class, one.Feature.Counts[one.Class], one.Feature.Rows)
                        && !IsSure(one.Feature.Feature, one.Class, one.Feature.ByText[one.Class], one.Feature.Texts))
                    .OrderByDescending(one => one.Feature.Rows).ThenBy(one => one.Feature.Feature.Kind).ThenBy(one => one.Feature.Feature.ToString(), StringComparer.Ordinal),
            ],
        };

        bool IsSure(Feature feature, int label, int hits, int of) =>
            hits >= of * levels.Bound(shares[label]) && ExactTests.LowerBound(hits, of, groups[GroupOf(feature.Kind)].Level) >= levels.Bound(shares[label]);

        double Guess((int Feature, int Class) one) =>
            (Wilson(counts.Features[one.Feature], one.Class, groups) - shares[one.Class]) / (1 - shares[one.Class]);
    }

    // A pair that is most of what its word stands in makes the word what it is, and not the other way round.
    private const double Most = 0.8;

    // 'Waste of time' is told as 'waste', and 'green table' as itself.
    private static CountedFeature? WordOf(CountedFeature pair, int label, Dictionary<string, CountedFeature> words)
    {
        var word = new[] { pair.Feature.Name, pair.Feature.Second }.Select(words.GetValueOrDefault).OfType<CountedFeature>()
            .MaxBy(word => (double)word.ByText[label] / word.Texts);
        return word is null || pair.Rows >= Most * word.Rows ? null : word;
    }

    // A piece that most of the time is the piece of one word is that word.
    private static CountedFeature? MainWord(CountedFeature piece, Dictionary<Feature, CountedFeature> words) =>
        words.GetValueOrDefault(piece.Feature) is { } word && 2 * word.Rows >= piece.Rows ? word : null;

    private static Dictionary<Feature, CountedFeature> MainWords(Feature[] pieces, IEnumerable<CountedFeature> words)
    {
        var (of, main) = (pieces.ToDictionary(WordPieces.Number), new Dictionary<Feature, CountedFeature>());
        if (of.Count == 0) return main;
        foreach (var word in words)
        {
            foreach (var number in WordPieces.Of(word.Feature.Name))
                if (of.TryGetValue(number, out var piece) && (!main.TryGetValue(piece, out var other) || other.Rows < word.Rows)) main[piece] = word;
        }

        return main;
    }

    private static WordOfPair? AsTheWord(CountedFeature feature, int label, CountedFeature? word, Dictionary<FeatureGroup, GroupLevel> groups)
    {
        if (word is null) return null;
        var asTheWord = ExactTests.BinomialUpper(feature.ByText[label], feature.Texts, (double)word.ByText[label] / word.Texts);
        if (asTheWord <= groups[GroupOf(feature.Feature.Kind)].Level) return null;
        return new WordOfPair(word.Feature.Name, ExactTests.LowerBound(word.ByText[label], word.Texts, groups[FeatureGroup.Words].Level));
    }

    /// <summary>The same, ordered anew by what was found of features since.</summary>
    internal FeatureTests With(Func<TestedFeature, TestedFeature> more) => this with { Ranked = [.. Ranked.Select(more).Order(Best)] };

    // Alarms first, then what reads as put in. Of equal ones the one with more rows, then the simpler one: a word before the pair that it is
    // always in.
    private static readonly Comparer<TestedFeature> Best = Comparer<TestedFeature>.Create((left, right) =>
    {
        var order = right.IsAlarm.CompareTo(left.IsAlarm);
        if (order == 0) order = right.ReadsAsPutIn.CompareTo(left.ReadsAsPutIn);
        if (order == 0) order = right.Told.CompareTo(left.Told);
        if (order == 0) order = right.Rows.CompareTo(left.Rows);
        if (order == 0) order = left.Feature.Kind.CompareTo(right.Feature.Kind);
        return order != 0 ? order : string.CompareOrdinal(left.Feature.ToString(), right.Feature.ToString());
    });

    // One test a feature: two classes cannot both have more than half of its rows, and the chance that the one with less comes out far
    // above is nothing beside the other's.
    private static GroupLevel LevelOf(FeatureCounts counts, double[] shares, AuditLevels levels, FeatureGroup group)
    {
        var least = shares.Where(share => share > 0).Min(levels.Bound);
        int[] rows = [.. counts.Features.Where(feature => GroupOf(feature.Feature.Kind) == group).Select(feature => feature.Texts)];
        var part = levels.FalseAlarms / Enum.GetValues<FeatureGroup>().Length;
        var divisor = ManyTests.Divisor(rows.Select(count => Math.Pow(least, count)), part);
        return new GroupLevel(rows.Length, divisor, part / divisor);
    }

    // Wilson's bound at the group's level chooses what is ranked; the exact one, which costs a hundred times as much, ranks it.
    private static double Wilson(CountedFeature feature, int label, Dictionary<FeatureGroup, GroupLevel> groups)
    {
        var z = groups[GroupOf(feature.Feature.Kind)].Z;
        double n = feature.Texts, share = feature.ByText[label] / n, squared = z * z / n;
        return (share + (squared / 2) - (z * Math.Sqrt((share * (1 - share) / n) + (squared / (4 * n))))) / (1 + squared);
    }
}

/// <summary>Features that share a part of the level.</summary>
public enum FeatureGroup
{
    /// <summary>Words, and how words are written.</summary>
    Words,

    /// <summary>Pairs of words, and words at the beginning and the end.</summary>
    Pairs,

    /// <summary>Pieces of words.</summary>
    Pieces,

    /// <summary>Families of words, and forms of texts.</summary>
    Families,
}

/// <summary>The level of a group.</summary>
/// <param name="Features">Features in it.</param>
/// <param name="Divisor">Those of them that could raise an alarm at all, which share the level (Tarone).</param>
/// <param name="Level">The level of each.</param>
public sealed record GroupLevel(int Features, long Divisor, double Level)
{
    /// <summary>The point of the standard normal distribution beyond which <see cref="Level"/> of it lies.</summary>
    public double Z { get; } = Quantile(Level);

    private static double Quantile(double level)
    {
        double low = 0, high = 38;
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            if (ExactTests.NormalUpper(middle) > level) low = middle;
            else high = middle;
        }

        return low;
    }
}
