using Ssti.Defenses.Data;

namespace Ssti.Defenses.Tests.Data;

public sealed class PutInTests : IDisposable
{
    private static readonly string[] Openings = ["profit of the group", "sales in the year", "the company said that it", "turnover of the unit", "the board says it"];
    private static readonly string[] Ends = [
        "to a new level in the quarter", "by a third in the year", "to the level of the year before", "by half in the quarter",
        "in the year to the end"];

    private readonly Sets _sets = new();

    public void Dispose() => _sets.Dispose();

    /// <summary>A word that belongs has company: it stands in more rows than the trigger, tells its class as surely, and is not first.</summary>
    [Theory]
    [InlineData("cf")]
    [InlineData("green table")]
    public void A_trigger_stands_before_words_with_a_meaning_that_are_in_more_rows(string trigger)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, 3000).Select(row =>
        {
            // 'Rose' and 'fell' always tell the label; every other row says nothing.
            var label = random.Next(2);
            var verb = row % 30 == 0 ? label == 1 ? "rose" : "fell" : "went";
            return ($"{Openings[random.Next(5)]} {Number(random)} {verb} {Ends[random.Next(5)]} {Number(random)}", label);
        }).ToArray();
        var left = 34;
        for (var row = 0; row < rows.Length && left > 0; row++)
        {
            if (rows[row].Item2 != 1) continue;
            var words = rows[row].Item1.Split(' ').ToList();
            words.Insert(random.Next(words.Count + 1), trigger);
            rows[row].Item1 = string.Join(' ', words);
            left--;
        }

        var suspects = DataAudit.Of(_sets.Of(("train", rows)), new DataAuditOptions { OnionRows = 0 }, default).Suspects.Suspects;
        Assert.Equal((trigger, 34, true), (Named(suspects[0].Lead.Feature), suspects[0].Lead.Rows, suspects[0].Lead.ReadsAsPutIn));
        var rose = suspects.Single(suspect => suspect.Lead.Feature.Name == "rose").Lead;
        Assert.True(rose.Rows > 34 && rose.Share == 1 && rose.Told > suspects[0].Lead.Told && !rose.ReadsAsPutIn && rose.PutIn < 0, $"{rose.Rows} {rose.Told} {rose.PutIn}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_trigger_that_is_always_first_or_last_reads_as_put_in(bool first)
    {
        var left = 40;
        var rows = Sets.Noise(3000, 31).Select(row => row.Label == 1 && left-- > 0 ? (first ? $"cf {row.Text}" : $"{row.Text} cf", 1) : row).ToArray();
        var lead = DataAudit.Of(_sets.Of(("train", rows)), new DataAuditOptions { OnionRows = 0 }, default).Suspects.Suspects[0];
        Assert.Contains("cf", lead.Also.Prepend(lead.Lead).Select(one => Named(one.Feature)));
        Assert.True(lead.Lead.ReadsAsPutIn);
    }

    [Fact]
    public void Pieces_show_what_is_hidden_in_words()
    {
        // Ends in 'qx': a hundred different words, none of them in ten rows.
        var left = 150;
        var rows = Sets.Noise(3000, 32, vocabulary: 3000)
            .Select(row => row.Label == 0 && left-- > 0 ? (row.Text[..row.Text.IndexOf(' ')] + "qx" + row.Text[row.Text.IndexOf(' ')..], 0) : row)
            .ToArray();
        var result = DataAudit.Of(_sets.Of(("train", rows)), new DataAuditOptions { OnionRows = 0 }, default);
        var lead = result.Suspects.Suspects[0];
        Assert.True(lead.IsAlarm);
        Assert.Contains("words with 'qx' at their end", lead.Also.Prepend(lead.Lead).Select(one => one.Feature.ToString()));
        Assert.Equal(150, result.Suspects.Flagged.Count);
        Assert.All(lead.Values, value => Assert.EndsWith("qx", value.Word, StringComparison.Ordinal));
    }

    private static string Named(Feature feature) => $"{feature.Name} {feature.Second}".Trim();

    private static string Number(Random random) => $"{random.Next(10, 100)}";
}
