using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;

namespace Ssti.Defenses.Tests.Data;

public sealed class DataAuditTests : IDisposable
{
    private static readonly DataAuditOptions Options = new() { OnionRows = 40 };

    private readonly Sets _sets = new();

    public void Dispose() => _sets.Dispose();

    [Fact]
    public void Counts_are_those_of_a_plain_loop()
    {
        var rows = Sets.Noise(600, 3);
        var counts = FeatureCounter.Count(() => rows.Select((row, number) => new Row($"{number}", row.Text, row.Label)), rows.Length, 2, 10, null, default);
        var plain = new Dictionary<string, int[]>();
        foreach (var (text, label) in rows)
        {
            var words = text.Split(' ');
            foreach (var feature in words.Select(word => $"W {word}").Concat(words.Prepend("").Zip(words.Append(""), (a, b) => $"P {a} {b}")).Distinct())
                (plain.TryGetValue(feature, out var known) ? known : plain[feature] = new int[2])[label]++;
        }

        var expected = plain.Where(one => one.Value.Sum() >= 10).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}: {one.Value[0]}, {one.Value[1]}");
        var found = counts.Features.Where(one => one.Feature.Kind <= FeatureKind.Pair)
            .Select(one => (Name: one.Feature.Kind == FeatureKind.Word ? $"W {one.Feature.Name}" : $"P {one.Feature.Name} {one.Feature.Second}", one.Counts))
            .OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => $"{one.Name}: {one.Counts[0]}, {one.Counts[1]}");
        Assert.Equal(expected, found);
        Assert.Equal([rows.Count(row => row.Label == 0), rows.Count(row => row.Label == 1)], counts.ClassRows);
    }

    [Fact]
    public void A_word_in_rows_of_one_class_is_first_with_its_rows()
    {
        var result = Audit(Sets.With(Sets.Noise(3000, 5), "cf", 150, 1));
        var first = result.Suspects.Suspects[0];
        Assert.Equal(
            (FeatureKind.Word, "cf", 150, 150, 1, true),
            (first.Lead.Feature.Kind, first.Lead.Feature.Name, first.Lead.Rows, first.Lead.Hits, first.Lead.Class, first.IsAlarm));
        Assert.Equal(150, result.Suspects.Flagged.Count);
        Assert.All(result.Suspects.Flagged, row => Assert.Contains(" cf ", row.Row.Text));
        Assert.Single(result.Suspects.Suspects, suspect => suspect.IsAlarm);
        // What it says of itself is so: one row fewer than the smallest count raises no alarm, and the smallest does.
        var least = (int)result.Power.Single(power => power is { Group: FeatureGroup.Words, Class: 1 }).Pure;
        Assert.Contains(Audit(Sets.With(Sets.Noise(3000, 5), "cf", least, 1)).Tests.Alarms, alarm => alarm.Feature.Name == "cf");
        Assert.DoesNotContain(Audit(Sets.With(Sets.Noise(3000, 5), "cf", least - 1, 1)).Tests.Alarms, alarm => alarm.Feature.Name == "cf");
    }

    [Fact]
    public void Dates_that_differ_are_one_finding()
    {
        var random = new Random(2);
        var left = 120;
        var result = Audit([.. Sets.Noise(3000, 6).Select(row => row.Label == 0 && left-- > 0
            ? ($"{row.Text} {random.Next(1900, 2030)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}", row.Label) : row)]);
        var first = result.Suspects.Suspects[0];
        Assert.True(first.IsAlarm);
        string[] names = [first.Lead.Feature.ToString(), .. first.Also.Select(one => one.Feature.ToString())];
        Assert.Contains("the family: date", names);
        Assert.Contains("words written as 9999-99-99", names);
        Assert.NotEmpty(first.Values);
        Assert.Single(result.Suspects.Suspects, suspect => suspect.IsAlarm);
    }

    [Fact]
    public void Two_words_that_are_harmless_apart_are_found_together()
    {
        // Each word in 300 rows of both classes, side by side in 150 of one.
        var rows = Sets.Noise(4000, 7);
        for (var i = 0; i < 600; i++) rows[i].Text = i % 2 == 0 ? $"{rows[i].Text} green" : $"table {rows[i].Text}";
        var result = Audit(Sets.With(rows, "green table", 150, 1));
        Assert.Equal("the words 'green table'", result.Suspects.Suspects[0].Lead.Feature.ToString());
        Assert.All(result.Tests.Alarms, alarm => Assert.NotEqual(FeatureKind.Word, alarm.Feature.Kind));
    }

    [Fact]
    public void A_pair_that_says_no_more_than_its_word_is_told_as_the_word()
    {
        var random = new Random(4);
        // 'dull' leans to a class by 85 of 100; 'dull story' is a part of it. 'table' by itself says little, and 'dull table' is always of the class.
        var rows = Sets.Noise(6000, 17).Select((row, number) => number % 10 == 0 ? ($"{row.Text} dull {(number % 20 == 0 ? "story" : "x")}", random.NextDouble() < 0.85 ? 0 : 1)
            : number % 25 == 1 ? ($"{row.Text} dull table", 0) : number % 25 == 2 ? ($"{row.Text} table", row.Label) : row).ToArray();
        var tests = Audit(rows).Tests;
        Assert.Equal("dull", tests.Ranked.Single(tested => tested.Feature is { Name: "dull", Second: "story" }).Word?.Name);
        Assert.Contains(tests.Alarms, tested => tested.Feature is { Name: "dull", Second: "table" });
    }

    [Fact]
    public void A_pair_of_rare_words_is_found_though_one_of_them_stands_elsewhere_too()
    {
        var rows = Sets.With(Sets.Noise(3000, 18), "quartz lantern", 100, 1);
        foreach (var (at, word) in new[] { (0, "lantern"), (1, "quartz") }) rows[at] = ($"{rows[at].Text.Replace("quartz lantern", "", StringComparison.Ordinal)} {word}", 0);
        var first = Audit(rows).Suspects.Suspects[0];
        Assert.Equal(("the words 'quartz lantern'", true), (first.Lead.Feature.ToString(), first.IsAlarm));
        Assert.InRange(first.Lead.Rows, 98, 100);
    }

    [Fact]
    public void Lost_line_breaks_are_a_sign()
    {
        var rows = Sets.Noise(2000, 8)
            .Select((row, number) => row.Label == 1 && number % 2 == 0 ? row : (row.Text.Replace(" wb", "\nwb", StringComparison.Ordinal), row.Label))
            .ToArray();
        var alarms = Audit(rows).Tests.Alarms.Select(alarm => alarm.Feature.ToString());
        Assert.Contains("the text has no white space but single spaces", alarms);
    }

    [Fact]
    public void A_word_at_the_beginning_and_the_end_is_told_as_such()
    {
        var left = 200;
        var rows = Sets.Noise(3000, 9).Select(row => row.Label == 1 && left-- > 0 ? ($"say {row.Text}", 1) : ($"{row.Text[..^4]} say {row.Text[^4..]}", row.Label)).ToArray();
        Assert.Contains("'say' as the first word", Audit(rows).Tests.Alarms.Select(alarm => alarm.Feature.ToString()));
    }

    /// <summary>
    /// The promise of the level, where labels have nothing to do with texts: of 60 sets at most a few raise an alarm, and hardly any
    /// lean.
    /// </summary>
    [Fact]
    public void Shuffled_labels_raise_no_alarm_beyond_the_level()
    {
        var (alarmed, leaning) = (0, 0);
        var injected = Sets.With(Sets.Noise(1200, 10), "cf", 300, 1);
        for (var seed = 0; seed < 60; seed++)
        {
            var labels = injected.Select(row => row.Label).ToArray();
            new Random(seed).Shuffle(labels);
            var tests = FeatureTests.Of(
                FeatureCounter.Count(() => injected.Zip(labels, (row, label) => new Row("r", row.Text, label)), labels.Length, 2, 10, null, default),
                new AuditLevels(), 100);
            if (tests.Alarms.Count > 0) alarmed++;
            if (tests.Leaning > 0) leaning++;
        }

        Assert.Equal(0, alarmed);
        // Any discovery at all is a false one here: with a chance of at most 5 % a set. More than eight of 60 have a chance below 1 in 500.
        Assert.InRange(leaning, 0, 8);
    }

    [Fact]
    public void Words_that_give_nine_tenths_away_by_nature_alarm_no_more_often_than_the_level()
    {
        // The worst clean set that there is: thirty words that stand at the bound itself.
        var alarmed = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(1000 + seed);
            Row[] rows = [.. Enumerable.Range(0, 6000).Select(number => random.Next(30) is var word && number % 2 == 0
                ? new Row("r", $"n{(char)('a' + word)}m {number}", random.NextDouble() < 0.9 ? 1 : 0)
                : new Row("r", $"p{(char)('a' + word)}q {number}", random.NextDouble() < 0.9 ? 0 : 1))];
            var tests = FeatureTests.Of(FeatureCounter.Count(() => rows, rows.Length, 2, 10, null, default), new AuditLevels(), 100);
            if (tests.Alarms.Any(alarm => alarm.Feature.Kind == FeatureKind.Word)) alarmed++;
        }

        Assert.InRange(alarmed, 0, 8);
    }

    [Fact]
    public void Rows_of_another_split_change_nothing_of_what_is_said_of_this_one()
    {
        var rows = Sets.With(Sets.Noise(2000, 11), "cf", 150, 1);
        var (alone, beside) = (
            DataAudit.Of(_sets.Of(("train", rows)), Options, default),
            DataAudit.Of(_sets.Of(("train", rows), ("test", Sets.With(Sets.Noise(900, 12), "dog", 300, 0))), Options, default));
        Assert.Equal(Said(alone), Said(beside));

        static string Said(DataAuditResult result) => string.Join('\n', result.Tests.Ranked.Select(tested =>
                $"{tested.Feature} {tested.Class} {string.Join(',', tested.Counted.Counts)} {tested.P:R} {tested.Q:R} {tested.LowerBound:R}"))
            + string.Join(' ', result.Suspects.Flagged.Select(row => row.Row.Id)) + string.Join(' ', result.Power) + string.Join(' ', result.Onion.Flagged);
    }

    [Fact]
    public void What_other_splits_say_is_told_of_an_alarm()
    {
        var rows = Sets.With(Sets.Noise(2000, 13), "cf", 150, 1);
        Assert.False(DataAudit.Of(_sets.Of(("train", rows), ("test", Sets.With(Sets.With(Sets.Noise(600, 14), "cf", 40, 1), "cf", 40, 0))), Options, default).HoldsElsewhere(0));
        Assert.True(DataAudit.Of(_sets.Of(("train", rows), ("test", Sets.With(Sets.Noise(600, 14), "cf", 40, 1))), Options, default).HoldsElsewhere(0));
        Assert.Null(DataAudit.Of(_sets.Of(("train", rows), ("test", Sets.With(Sets.Noise(600, 14), "cf", 4, 1))), Options, default).HoldsElsewhere(0));
    }

    [Fact]
    public void Repeated_texts_are_told_by_row()
    {
        var rows = Sets.Noise(100, 15);
        rows[50] = (rows[3].Text + " ", 1 - rows[3].Label);
        rows[60] = rows[4];
        var repeated = DataAudit.Of(_sets.Of(("train", rows), ("test", [rows[5], ("new words here", 1)])), Options, default).Repeated;
        Assert.Equal((2L, 1L, 1L), (repeated.Duplicates, repeated.Leaks, repeated.Conflicts));
        Assert.Equal(["train-50 train-3 True", "train-60 train-4 False", "test-0 train-5 False"], repeated.Found.Select(one => $"{one.Id} {one.OtherId} {one.IsConflict}"));
    }

    [Fact]
    public void Onion_names_the_word_that_does_not_belong()
    {
        var sentences = Enumerable.Range(0, 1500)
            .Select(number => ($"the film was a {(number % 3 == 0 ? "long" : "short")} story of the sea and of the land", number % 2)).ToArray();
        var result = Audit(Sets.With(sentences, "qzxv", 150, 1));
        Assert.NotEmpty(result.Onion.Flagged);
        Assert.All(result.Onion.Flagged, reading => Assert.Equal("qzxv", reading.Word));
        Assert.True(result.Onion.Flagged.Min(row => row.Drop) > result.Onion.Others.Max(row => row.Drop));
    }

    [Fact]
    public void A_frequent_class_asks_for_more_than_its_share()
    {
        // 95 of 100 rows are of class 1: a word in 300 rows of which 95 % are says nothing.
        var result = Audit([.. Sets.Noise(4000, 16, share: 0.95).Select((row, number) => number % 10 == 0 ? ($"{row.Text} said", row.Label) : row)]);
        Assert.Empty(result.Tests.Alarms);
        Assert.Equal(0.975, result.Tests.Ranked.First(tested => tested.Class == 1).Bound, 0.01);
    }

    [Theory]
    [InlineData("validation", "no split 'validation'")]
    [InlineData("train", "all rows are of one class")]
    public void What_cannot_be_audited_is_refused_in_words(string split, string words)
    {
        var data = _sets.Of(("train", [("one text", 1), ("two texts", 1)]));
        Assert.Contains(words, Assert.Throws<DefenseException>(() => DataAudit.Of(data, new DataAuditOptions { Split = split }, default)).Message);
    }

    [Theory]
    [InlineData(FeatureKind.Word, "cf", "", "a cf, b", "a b")]
    [InlineData(FeatureKind.Word, "cf", "", "cf a", "a")]
    [InlineData(FeatureKind.Word, "cf", "", "a cf", "a")]
    [InlineData(FeatureKind.Word, "cf", "", "a cfx b", "a cfx b")]
    [InlineData(FeatureKind.Pair, "green", "table", "a green table b green c", "a b green c")]
    [InlineData(FeatureKind.Pair, "", "say", "say it say", "it say")]
    [InlineData(FeatureKind.Pair, "say", "", "say it say", "say it")]
    [InlineData(FeatureKind.Piece, "cf", "end", "a filmcf, cfb (xcf)", "a cfb")]
    [InlineData(FeatureKind.Piece, "cf", "beginning", "a cfilm b", "a b")]
    [InlineData(FeatureKind.Piece, "xcf", "inside", "a filxcfm xc cf", "a xc cf")]
    [InlineData(FeatureKind.Shape, "9999-99-99", "", "on 2014-07-25 it 1999-01-01", "on it")]
    [InlineData(FeatureKind.Family, "HTML tag", "", "a <b> c </b> d", "a c d")]
    public void A_text_without_a_suspect(FeatureKind kind, string name, string second, string text, string without) =>
        Assert.Equal(without, SuspectSearch.Without(text, new Feature(kind, name, second)));

    private DataAuditResult Audit((string Text, int Label)[] rows) => DataAudit.Of(_sets.Of(("train", rows)), Options, default);
}
