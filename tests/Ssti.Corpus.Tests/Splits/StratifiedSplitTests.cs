using Ssti.Corpus.Datasets;
using Ssti.Corpus.Splits;

namespace Ssti.Corpus.Tests.Splits;

public sealed class StratifiedSplitTests
{
    private static readonly string[] Labels = ["a", "b", "c"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(77)]
    public void Every_class_is_held_out_in_its_share_and_every_row_is_in_one_part(long seed)
    {
        int[] counts = [200, 40, 7];
        var rows = Rows(counts).ToArray();
        var (parts, torn) = StratifiedSplit.Of(rows, Labels, [0.15, 0.1], seed);
        Assert.Equal(rows.Length, parts.Length);
        Assert.Equal(0, torn);
        for (var label = 0; label < 3; label++)
        {
            foreach (var (part, share) in new[] { (0, 0.15), (1, 0.1) })
            {
                var held = rows.Index().Count(row => row.Item.Label == label && parts[row.Index] == part);
                Assert.Equal(Math.Max(1, (int)Math.Round(share * counts[label])), held);
            }
        }
    }

    [Fact]
    public void The_same_seed_holds_out_the_same_rows_and_another_others()
    {
        var rows = Rows([50, 50, 50]).ToArray();
        var first = StratifiedSplit.Of(rows, Labels, [0.2], 1).Parts;
        Assert.Equal(first, StratifiedSplit.Of(rows, Labels, [0.2], 1).Parts);
        Assert.NotEqual(first, StratifiedSplit.Of(rows, Labels, [0.2], 2).Parts);
    }

    [Fact]
    public void Rows_of_one_text_stay_together_however_often_it_is_repeated()
    {
        // Ten texts, of which the first stands ninety times.
        var rows = Enumerable.Range(0, 99).Select(i => new Row($"{i}", i < 90 ? " same " : i % 2 == 0 ? $"text {i}" : $"text {i} ", 0)).Append(new Row("99", "same", 0)).ToArray();
        for (var seed = 0; seed < 20; seed++)
        {
            var parts = StratifiedSplit.Of(rows, Labels, [0.5, 0.1], seed).Parts;
            Assert.Single(rows.Index().Where(row => row.Item.Text.Trim() == "same").Select(row => parts[row.Index]).Distinct());
            Assert.Equal([-1, 0, 1], parts.Distinct().Order());
        }
    }

    [Fact]
    public void A_text_under_two_labels_that_is_torn_apart_is_counted()
    {
        Row[] rows = [.. Enumerable.Range(0, 40).Select(i => new Row($"{i}", $"text {i % 20}", i / 20))];
        var (parts, torn) = StratifiedSplit.Of(rows, Labels, [0.5], 3);
        Assert.Equal(Enumerable.Range(0, 20).Count(i => parts[i] != parts[i + 20]), torn);
        Assert.NotEqual(0, torn);
    }

    [Fact]
    public void A_class_with_too_few_texts_is_refused_by_its_name()
    {
        var error = Assert.Throws<CorpusException>(() => StratifiedSplit.Of(Rows([10, 2, 5]), Labels, [0.2, 0.2], 1));
        Assert.Equal("class 'b' has 2 different texts, too few to hold some out for 2 splits and leave one to train on: give it at least 3, or leave the class out", error.Message);
        Assert.Contains("has no label", Assert.Throws<CorpusException>(() => StratifiedSplit.Of([new Row("1", "x", -1)], Labels, [0.2], 1)).Message);
    }

    private static IEnumerable<Row> Rows(int[] counts) =>
        counts.SelectMany((count, label) => Enumerable.Range(0, count).Select(i => new Row($"{label}-{i}", $"{label} {i}", label)));
}
