using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data.Statistics;

namespace Ssti.Defenses.Data;

/// <summary>How a split is audited.</summary>
public sealed record DataAuditOptions
{
    /// <summary>The split that a model is to be trained on.</summary>
    public string Split { get; init; } = "train";

    /// <summary>What is called what.</summary>
    public AuditLevels Levels { get; init; } = new();

    /// <summary>Features that are ranked.</summary>
    public int Listed { get; init; } = 1000;

    /// <summary>Of these, features whose rows are looked for.</summary>
    public int Suspects { get; init; } = 60;

    /// <summary>Rows of each of two groups, flagged and others, that ONION reads.</summary>
    public int OnionRows { get; init; } = 200;

    /// <summary>Told the rows read, and of how many.</summary>
    public Action<long, long>? Progress { get; init; }
}

/// <summary>What the texts of a class are like.</summary>
/// <param name="Class">The class.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Words">Quartiles of their lengths in words: least, lower, middle, upper, most.</param>
public sealed record ClassSummary(int Class, long Rows, IReadOnlyList<int> Words);

/// <summary>The answer of an audit without a model.</summary>
/// <param name="Counts">The counts of all features.</param>
/// <param name="Tests">What they say.</param>
/// <param name="Suspects">The suspects with their rows.</param>
/// <param name="Power">The smallest thing that this audit finds.</param>
/// <param name="Repeated">Texts that stand more than once.</param>
/// <param name="Classes">The classes.</param>
/// <param name="Onion">What ONION sees: of flagged rows and of others; empty where nothing is flagged.</param>
/// <param name="Elsewhere">Of each suspect the rows of the other labelled splits that have it, by class.</param>
public sealed record DataAuditResult(
    FeatureCounts Counts, FeatureTests Tests, SuspectRows Suspects, IReadOnlyList<DetectionPower> Power, RepeatedTexts Repeated, IReadOnlyList<ClassSummary> Classes,
    OnionReadings Onion, IReadOnlyList<CountedFeature> Elsewhere)
{
    private const double Chance = 0.05;
    private const int Few = 10;

    /// <summary>
    /// What rows of other splits say of a suspect that gives its class away: whether it does so there as well. Null where there are too
    /// few of them to say.
    /// </summary>
    /// <param name="suspect">Its rank from 0.</param>
    public bool? HoldsElsewhere(int suspect)
    {
        var (tested, there) = (Suspects.Suspects[suspect].Lead, Elsewhere[suspect]);
        if (there.Rows < Few) return null;
        // Contradicted: so few rows of the class would be a rare chance if it gave it away.
        var hits = there.Counts[tested.Class];
        return hits == there.Rows || 1 - ExactTests.BinomialUpper(hits + 1, there.Rows, tested.Bound) >= Chance;
    }
}

/// <summary>What ONION sees.</summary>
/// <param name="Flagged">In flagged rows.</param>
/// <param name="Others">In as many other rows.</param>
/// <param name="ModelRows">Rows that its language model was trained on, none of them measured or flagged.</param>
public sealed record OnionReadings(IReadOnlyList<OnionReading> Flagged, IReadOnlyList<OnionReading> Others, long ModelRows);

/// <summary>Audits a set that a model is to be fine-tuned on: which of its words give labels away, and in which rows.</summary>
public static class DataAudit
{
    private const int MostRepeated = 10_000;
    private const long ModelCharacters = 1_000_000;

    /// <summary>Audits a split; other splits are looked at for texts that stand in both, and for nothing else.</summary>
    /// <exception cref="DefenseException">The split has nothing to audit; says why.</exception>
    public static DataAuditResult Of(DatasetReader data, DataAuditOptions options, CancellationToken cancellation)
    {
        var split = data.Info.Split(options.Split)
            ?? throw new DefenseException($"the dataset has no split '{options.Split}'; it has: {string.Join(", ", data.Info.Splits.Select(one => one.Name))}");
        if (split.Rows == 0) throw new DefenseException($"split '{split.Name}' has no rows");
        if (!split.IsLabelled) throw new DefenseException($"split '{split.Name}' has no labels: there is nothing that its words could give away");
        if (split.Rows > int.MaxValue / 2) throw new DefenseException($"split '{split.Name}' has {split.Rows} rows; an audit takes {int.MaxValue / 2} at most");
        IEnumerable<Row> Rows() => data.Read(split.Name);
        var counts = FeatureCounter.Count(Rows, split.Rows, data.Info.Labels.Count, options.Levels.LeastRows, done => options.Progress?.Invoke(done, 2 * split.Rows), cancellation);
        var tests = Ordered(FeatureTests.Of(counts, options.Levels, options.Listed), Rows(), counts.Words, cancellation);
        var suspects = SuspectRows.Find(Rows, (int)split.Rows, Looked(tests, options.Suspects), cancellation);
        var (repeated, classes, elsewhere) = Rest(data, split, counts.Near, [.. suspects.Suspects.Select(suspect => suspect.Lead.Feature)], cancellation);
        return new DataAuditResult(
            counts, tests, suspects, DetectionPower.Of(tests, counts.ClassTexts, options.Levels), repeated, classes,
            Onion(Rows(), suspects.Flagged, options, cancellation), elsewhere);
    }

    // Whether it reads as put in is asked of what would give its class away if there were more of it: of nothing else does it change the order.
    private static FeatureTests Ordered(FeatureTests tests, IEnumerable<Row> rows, RowWords words, CancellationToken cancellation)
    {
        Feature[] asked = [.. tests.Ranked.Where(tested => tested.Share >= tested.Bound && tested.Word is null).Select(tested => tested.Feature)];
        var put = asked.Zip(PutIn.Of(rows, asked, words, cancellation)).ToDictionary(one => one.First, one => one.Second);
        return tests.With(tested => tested with { PutIn = put.GetValueOrDefault(tested.Feature) });
    }

    // Every family and form that raises an alarm is looked at, however many words stand before it; pieces that are their word's are not.
    private static IReadOnlyList<TestedFeature> Looked(FeatureTests tests, int most) =>
        [
            .. tests.Ranked.Where(tested => tested.Feature.Kind != FeatureKind.Piece || tested.Word is null).Index()
                .Where(one => one.Index < most || (one.Item.IsAlarm && one.Item.Feature.Kind >= FeatureKind.Shape)).Select(one => one.Item),
        ];

    private static (RepeatedTexts Repeated, IReadOnlyList<ClassSummary> Classes, IReadOnlyList<CountedFeature> Elsewhere) Rest(
        DatasetReader data, SplitInfo audited, NearDuplicates near, IReadOnlyList<Feature> suspects, CancellationToken cancellation)
    {
        var (repeated, search) = (new RepeatedTexts(audited.Name, near, MostRepeated), new SuspectSearch(suspects));
        var (lengths, there) = (data.Info.Labels.Select(_ => new Dictionary<int, long>()).ToArray(), suspects.Select(_ => new int[data.Info.Labels.Count]).ToArray());
        // The audited split first, so that a text in both is told as one of the other's.
        foreach (var split in data.Info.Splits.Where(one => one.IsLabelled).OrderBy(one => one != audited))
        {
            foreach (var row in data.Read(split.Name))
            {
                cancellation.ThrowIfCancellationRequested();
                repeated.Note(split.Name, row);
                if (split == audited) Note(lengths[row.Label], row.Text);
                else foreach (var suspect in search.In(row.Text).Keys) there[suspect][row.Label]++;
            }
        }

        return (
            repeated, [.. lengths.Select((words, label) => new ClassSummary(label, audited.Counts[label], Quartiles(words, audited.Counts[label])))],
            [.. suspects.Zip(there, (suspect, counts) => new CountedFeature(suspect, counts))]);

        static void Note(Dictionary<int, long> lengths, string text)
        {
            var words = 0;
            var walk = new TextWords(text);
            while (walk.MoveNext()) words++;
            lengths[words] = lengths.GetValueOrDefault(words) + 1;
        }
    }

    private static int[] Quartiles(Dictionary<int, long> words, long rows)
    {
        if (rows == 0) return [];
        var sorted = words.OrderBy(one => one.Key).ToArray();
        return [.. Enumerable.Range(0, 5).Select(quarter => At((long)Math.Round(quarter / 4.0 * (rows - 1))))];

        int At(long place)
        {
            foreach (var (length, count) in sorted)
                if ((place -= count) < 0) return length;
            return sorted[^1].Key;
        }
    }

    private static OnionReadings Onion(IEnumerable<Row> rows, IReadOnlyList<FlaggedRow> flagged, DataAuditOptions options, CancellationToken cancellation)
    {
        if (flagged.Count == 0 || options.OnionRows == 0) return new([], [], 0);
        var (numbers, others, texts) = (flagged.Select(row => row.Number).ToHashSet(), new List<(int Number, Row Row)>(), new List<string>());
        var (number, characters) = (-1, 0L);
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            number++;
            if (numbers.Contains(number)) continue;
            if (others.Count < options.OnionRows) others.Add((number, row));
            else if ((characters += row.Text.Length) <= ModelCharacters) texts.Add(row.Text);
            else break;
        }

        if (texts.Count == 0) return new([], [], 0);
        var scan = OnionScan.Train(texts, ModelCharacters, cancellation);
        return new(
            [.. flagged.Take(options.OnionRows).Select(row => scan.Read(row.Number, row.Row)).OfType<OnionReading>()],
            [.. others.Select(row => scan.Read(row.Number, row.Row)).OfType<OnionReading>()], scan.Rows);
    }
}
