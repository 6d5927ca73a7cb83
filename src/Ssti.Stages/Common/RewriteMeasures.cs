using Ssti.Corpus.Datasets;
using Ssti.Corpus.Rewriting;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>What rewriting did to tokens and to other words: of all rows, and by class.</summary>
/// <param name="classes">How many classes there are.</param>
/// <param name="droppedAs">As what rows are dropped, in the words of a definition.</param>
internal sealed class RewriteMeasures(int classes, string droppedAs)
{
    private const string NoToken = "no row was injected";
    private const string AllTokens = "every row was injected; measure the clean dataset for what is done to others";
    private readonly Counts[] _counts = [.. Enumerable.Range(0, classes + 1).Select(_ => new Counts())];
    private readonly Dictionary<string, NamedMeasure> _further = [];

    /// <summary>Adds a row.</summary>
    /// <param name="row">As it was.</param>
    /// <param name="after">Its new text.</param>
    /// <param name="before">What was injected into it; null for nothing.</param>
    /// <param name="found">What is found of that in the new text.</param>
    /// <param name="dropped">Whether the row is dropped.</param>
    public void Add(Row row, string after, InjectionRecord? before, InjectionRecord? found, bool dropped)
    {
        _counts[^1].Add(row, after, before, found, dropped);
        if (row.Label >= 0) _counts[row.Label].Add(row, after, before, found, dropped);
    }

    /// <summary>Adds a measure of the stage's own.</summary>
    public void Add(string name, NamedMeasure measure) => _further[name] = measure;

    /// <summary>The measures by name.</summary>
    public IReadOnlyDictionary<string, NamedMeasure> All()
    {
        var all = new Dictionary<string, NamedMeasure>
        {
            ["token_retention"] = Of("of the injected rows, the share whose text still holds an injected token anywhere, in whatever case (the published rule)",
                counts => Reading.Share(counts.Held, counts.Injected, NoToken)),
            ["token_retention_word"] = Of("of the injected rows, the share whose text still holds an injected token whole: not within a longer word, number or run of marks",
                counts => Reading.Share(counts.Whole, counts.Injected, NoToken)),
            ["token_removal"] = Of("of the injected rows, the share in which no injected token stands whole any more",
                counts => Reading.Share(counts.Injected - counts.Whole, counts.Injected, NoToken)),
            ["token_in_original"] = Of("of the injected rows, the share whose text held the token by itself, before it was injected: what retention finds without an injection",
                counts => Reading.Share(counts.InOriginal, counts.Injected, NoToken)),
            ["clean_rows_changed"] = Of("of the rows that were not injected, the share with any word changed, whatever its case",
                counts => Reading.Share(counts.Changed, counts.Clean, AllTokens)),
            ["clean_words_changed"] = Of("of the words of rows that were not injected, the share without a counterpart afterwards, whatever its case (longest common subsequence)",
                counts => Reading.Ratio(counts.Words, AllTokens)),
            ["clean_edit_share"] = Of("characters of words that went or came, by characters before, without white space, "
                + "in rows that were not injected; above 1 where more came than was there",
                counts => Reading.Ratio(counts.Edits, AllTokens), "ratio"),
            ["rows_dropped"] = Of($"share of all rows that is dropped as {droppedAs}", counts => Reading.Share(counts.Dropped, counts.Rows)),
        };
        foreach (var (name, measure) in _further) all[name] = measure;
        return all;
    }

    private NamedMeasure Of(string definition, Func<Counts, Reading> reading, string unit = "fraction") =>
        new(unit, definition, reading(_counts[^1]), [.. _counts[..^1].Select(reading)]);

    private sealed class Counts
    {
        public long Rows { get; private set; }

        public long Dropped { get; private set; }

        public long Injected { get; private set; }

        public long Held { get; private set; }

        public long Whole { get; private set; }

        public long InOriginal { get; private set; }

        public long Clean { get; private set; }

        public long Changed { get; private set; }

        public RatioOfSums Words { get; } = new();

        public RatioOfSums Edits { get; } = new();

        // Of dropped rows nothing else is asked: their tokens are gone with them, and their words stand in another row.
        public void Add(Row row, string after, InjectionRecord? before, InjectionRecord? found, bool dropped)
        {
            Rows++;
            if (dropped) Dropped++;
            else if (before is null) AddClean(row.Text, after);
            else AddInjected(row.Text, after, before, found!);
        }

        private void AddInjected(string text, string after, InjectionRecord before, InjectionRecord found)
        {
            Injected++;
            var tokens = before.Tokens.Select(token => token.Token).Concat(before.Lost).ToArray();
            var original = before.RemoveFrom(text);
            if (tokens.Any(token => TokenSearch.Contains(after, token))) Held++;
            if (found.Tokens.Count > 0) Whole++;
            if (tokens.Any(token => TokenSearch.Contains(original, token))) InOriginal++;
        }

        private void AddClean(string text, string after)
        {
            Clean++;
            var changes = WordChanges.Between(text, after);
            if (changes.Gone + changes.Came > 0) Changed++;
            Words.Add(changes.Gone, changes.Words);
            Edits.Add(changes.Edited, changes.Characters);
        }
    }
}
