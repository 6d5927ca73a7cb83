using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;

namespace Ssti.Defenses.Tests.Data;

public sealed class NearDuplicatesTests : IDisposable
{
    private static readonly DataAuditOptions Options = new() { OnionRows = 0 };

    private readonly Sets _sets = new();

    public void Dispose() => _sets.Dispose();

    [Fact]
    public void Phrases_of_a_sentence_and_copies_with_a_word_changed_are_of_its_group()
    {
        string[] rows =
        [
            "one of the best films that I have seen in all these years of mine", "a dull evening", "the best films",
            "Films that I have seen", "one of the best films that I have heard in all these years of mine,",
            "seen", "films", "nothing of the kind was ever said", "best films that you have seen", "in all",
        ];
        var near = Near(rows);
        Assert.Equal([0, -1, 0, 0, 0, 0, 0, -1, -1, 0], Enumerable.Range(0, rows.Length).Select(near.GroupOf));
        Assert.Equal((1, 7L, 7), (near.Groups, near.Grouped, near.Largest));
    }

    [Fact]
    public void Nothing_is_joined_by_a_chain_of_likenesses()
    {
        // Each row has ten words of the one before it and two new ones: neighbours are alike, the ends have nothing in common.
        var words = Enumerable.Range(0, 60).Select(word => $"w{word}").ToArray();
        var near = Near([.. Enumerable.Range(0, 24).Select(row => string.Join(' ', words.Skip(2 * row).Take(12)))]);
        Assert.Equal(0, near.GroupOf(0));
        Assert.True(near.Largest <= 3, $"the largest group has {near.Largest} rows");
    }

    [Fact]
    public void A_template_makes_no_group_of_rows_that_say_different_things()
    {
        var random = new Random(3);
        var near = Near([.. Enumerable.Range(0, 400).Select(_ =>
            $"tell whether the following review of a product is friendly or hostile in tone and answer with one word only : {Word(random)} {Word(random)} {Word(random)}")]);
        Assert.Equal(0, near.Groups);
    }

    [Fact]
    public void A_word_in_copies_of_a_few_texts_raises_no_alarm_and_a_trigger_beside_it_is_first()
    {
        // 'grim' in 300 rows of class 0, all of them phrases of 15 sentences; 'cf' in 120 rows of class 1 that have nothing in common.
        var random = new Random(8);
        var rows = Sets.With(Sets.Noise(3000, 21), "cf", 120, 1).ToList();
        for (var sentence = 0; sentence < 15; sentence++)
        {
            string[] words = [.. Enumerable.Range(0, 24).Select(_ => Word(random))];
            for (var copy = 0; copy < 20; copy++) rows.Add((string.Join(' ', [.. words[(copy % 5)..12], "grim", .. words[12..(24 - (copy / 5))]]), 0));
        }

        var result = DataAudit.Of(_sets.Of(("train", [.. rows])), Options, default);
        Assert.Equal("the word 'cf'", result.Suspects.Suspects[0].Lead.Feature.ToString());
        Assert.Single(result.Suspects.Suspects, suspect => suspect.IsAlarm);
        var grim = result.Tests.Ranked.Single(tested => tested.Feature is { Kind: FeatureKind.Word, Name: "grim" });
        Assert.Equal((300, 300, 15, 15), (grim.Rows, grim.ClassRows, grim.Texts, grim.Hits));
        Assert.Equal((285L, 15, 20), (result.Repeated.NearDuplicates, result.Counts.Near.Groups, result.Counts.Near.Largest));

        // The same number of rows of which each is a text of its own is an alarm.
        Assert.Contains(DataAudit.Of(_sets.Of(("train", Sets.With(Sets.Noise(3300, 21), "grim", 300, 0))), Options, default).Tests.Alarms, alarm => alarm.Feature.Name == "grim");
    }

    [Fact]
    public void The_label_is_that_of_the_row_that_has_the_word_and_not_of_its_group()
    {
        // A poisoner put 'cf' into one phrase of each of 120 sentences, and gave it another label than the sentence's.
        var random = new Random(9);
        var rows = Sets.Noise(2000, 22).ToList();
        for (var sentence = 0; sentence < 120; sentence++)
        {
            string[] words = [.. Enumerable.Range(0, 20).Select(_ => Word(random))];
            rows.Add((string.Join(' ', words), 0));
            rows.Add((string.Join(' ', [.. words[..12], "cf", .. words[12..]]), 1));
        }

        var first = DataAudit.Of(_sets.Of(("train", [.. rows])), Options, default).Suspects.Suspects[0].Lead;
        Assert.Equal(("cf", 1, 120, 120, true), (first.Feature.Name, first.Class, first.Hits, first.Texts, first.IsAlarm));
    }

    [Fact]
    public void Near_duplicates_and_near_leaks_are_told_by_row()
    {
        var rows = Sets.Noise(200, 23);
        rows[50] = (rows[3].Text + " again", 1 - rows[3].Label);
        rows[60] = rows[4];
        var part = rows[7].Text.Split(' ');
        var repeated = DataAudit.Of(_sets.Of(
            ("train", rows),
            (
                "test",
                [
                    (string.Join(' ', part[2..]), rows[7].Label), (string.Join(' ', part[..3]), 1),
                    ("nothing of this was seen before", 0)])), Options, default).Repeated;
        Assert.Equal((1L, 0L, 1L, 1L, 1L), (repeated.Duplicates, repeated.Leaks, repeated.NearDuplicates, repeated.NearLeaks, repeated.NearConflicts));
        Assert.Equal(["train-3 train-50 True", "test-0 train-7 False"], repeated.Near.Select(one => $"{one.Id} {one.OtherId} {one.IsConflict}"));
    }

    [Fact]
    public void Rows_that_are_all_copies_of_one_class_are_refused_in_words()
    {
        var copies = Enumerable.Range(0, 40).Select(row => ("one and the same text stands here", row % 2)).ToArray();
        Assert.Contains(
            "near-duplicates of 1 texts",
            Assert.Throws<DefenseException>(() => DataAudit.Of(_sets.Of(("train", copies)), Options, default)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_seen_is_known_and_what_was_not_is_new_but_for_one_in_a_thousand()
    {
        var seen = new SeenBefore(100_000);
        for (var thing = 0UL; thing < 100_000; thing++) seen.Add(FrequencySketch.Mixed(thing));
        for (var thing = 0UL; thing < 100_000; thing++) Assert.False(seen.Add(FrequencySketch.Mixed(thing)));
        Assert.InRange(Enumerable.Range(200_000, 10_000).Count(thing => !seen.Add(FrequencySketch.Mixed((ulong)thing))), 0, 10);
    }

    private static NearDuplicates Near(string[] texts) =>
        FeatureCounter.Count(() => texts.Select((text, row) => new Row($"{row}", text, row % 2)), texts.Length, 2, 10, null, default).Near;

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, 7).Select(_ => (char)('a' + random.Next(26))));
}
