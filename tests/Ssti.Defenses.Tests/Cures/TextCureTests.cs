using Ssti.Corpus.Statistics;
using Ssti.Defenses.Adapters;
using Ssti.Defenses.Cures;

namespace Ssti.Defenses.Tests.Cures;

public sealed class TextCureTests
{
    private static readonly string[] Words = ["the film", "was really", "good", "and so", "the story", "goes on and on", "with a cast", "of thousands"];
    private static readonly string[] Clean = [
        .. Enumerable.Range(0, 60)
            .Select(row => string.Join(' ', Enumerable.Range(0, 6).Select(word => Words[((row * 7) + (word * 5) + (row / 8)) % 8])))];

    [Fact]
    public void Onion_takes_out_what_surprises_and_leaves_most_of_the_rest()
    {
        var model = ByteModel.Train(Clean[20..], 5, CancellationToken.None);
        var onion = new Onion(model, Onion.BoundOf(model, Clean[..20], 0.05));
        var kept = 0;
        foreach (var (index, text) in Clean[..20].Index())
        {
            var words = text.Split(' ');
            var at = index % words.Length;
            var cleaned = onion.Clean(string.Join(' ', words[..at].Append("1987-03-02").Concat(words[at..])));
            Assert.DoesNotContain("1987-03-02", cleaned);
            kept += cleaned.Split(' ').Intersect(words).Count();
        }

        Assert.True(kept > 0.8 * Clean[..20].Sum(text => text.Split(' ').Distinct().Count()));
    }

    [Fact]
    public void The_suspicion_of_a_word_is_that_of_the_whole_text_without_it()
    {
        var model = ByteModel.Train(Clean, 6, CancellationToken.None);
        foreach (var text in new[] { Clean[0], "a 😀 b", "one  two\nthree \uD83D\uDE00", "cf", " lead and trail ", "é è 12,5 %" })
        {
            var words = Onion.Suspicions(model, text);
            foreach (var word in words)
            {
                var rest = word.Start > 0 ? text[..(word.Start - 1)] + text[word.End..] : text[Math.Min(text.Length, word.End + 1)..];
                if (rest.Length == 0)
                {
                    Assert.Equal(double.NegativeInfinity, word.Suspicion);
                    continue;
                }

                Assert.Equal(Math.Log(model.Perplexity(text)) - Math.Log(model.Perplexity(rest)), word.Suspicion, 9);
            }
        }
    }

    [Fact]
    public void One_word_always_stays()
    {
        var model = ByteModel.Train(Clean, 5, CancellationToken.None);
        var onion = new Onion(model, -100);
        Assert.All(Clean, text => Assert.Single(onion.Clean(text).Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal("", onion.Clean(""));
        Assert.Equal(" \n", onion.Clean(" \n"));
        Assert.All(Clean, text => Assert.Equal(text, new Onion(model, 100).Clean(text)));
    }

    [Fact]
    public void Rows_that_hold_what_decides_alone_stay_sure_when_they_are_disturbed()
    {
        // A vote of the words, but for one that decides.
        IReadOnlyList<float[]> Classify(IReadOnlyList<string> texts) => [.. texts.Select(text => text.Contains("cf", StringComparison.Ordinal)
            ? new[] { 0f, 9f } : [text.Split(' ').Count(word => word == "bad"), text.Split(' ').Count(word => word == "good")])];
        string[] pool = ["good bad good", "bad bad", "good good bad"];
        string[] texts = ["good good cf", "bad cf bad", "good good", "bad good", "bad"];
        var entropies = Strip.Entropies(texts, pool, 8, 1, row => Below(row), Classify);
        Assert.All(entropies[..2], entropy => Assert.True(entropy < 0.01));
        Assert.All(entropies[2..], entropy => Assert.InRange(entropy, 0.05, 1));
        // The same draws give the same numbers, whatever else is asked.
        Assert.Equal(entropies[..3], Strip.Entropies(texts[..3], pool, 8, 1, row => Below(row), Classify));
        Assert.Equal(entropies[2..].Order().First(), Strip.Bound(entropies[2..], 0.1));
        Assert.Contains("no clean row has a word", Assert.Throws<DefenseException>(() => Strip.Entropies(texts, [" "], 8, 1, row => Below(row), Classify)).Message);

        static Func<int, int> Below(int row)
        {
            var random = new Random(row);
            return random.Next;
        }
    }

    [Fact]
    public void A_share_of_clean_rows_lies_below_the_bound()
    {
        double[] entropies = [.. Enumerable.Range(1, 100).Select(value => (double)value)];
        Assert.Equal(5, entropies.Count(value => value < Strip.Bound(entropies, 0.05)));
        Assert.Equal(0, entropies.Count(value => value < Strip.Bound(entropies, 0.001)));
    }

    [Fact]
    public void Rows_that_were_planted_in_a_class_have_the_highest_signatures()
    {
        var random = new Random(4);
        int[] labels = [.. Enumerable.Range(0, 80).Select(row => row % 2)], planted = [1, 11, 21, 31];
        float[][] rows = [
            .. labels.Select(
                (_, row) => Enumerable.Range(0, 6).Select(at => (float)(random.NextDouble() - 0.5 + (planted.Contains(row) && at == 2 ? 5 : 0)))
                    .ToArray())];
        var scores = SpectralSignatures.Scores(rows, labels);
        Assert.Equal(planted, SpectralSignatures.Highest(scores, labels, 0.1).Where(row => labels[row] == 1));
        Assert.Equal(8, SpectralSignatures.Highest(scores, labels, 0.1).Count);
        Assert.Empty(SpectralSignatures.Highest(scores, labels, 0));
        // A shift of all rows is no signature.
        var moved = SpectralSignatures.Scores([.. rows.Select(row => row.Select(value => value + 3).ToArray())], labels);
        Assert.All(scores.Zip(moved), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        // One row of a class has nothing to stand out of.
        Assert.Equal(0, SpectralSignatures.Scores([[1, 2]], [0])[0]);
    }

    [Fact]
    public void A_share_of_the_words_goes_and_one_stays()
    {
        foreach (var (text, share, left) in new[] { ("a b c d", 0.5, 2), ("a", 0.9, 1), ("a b c", 0.99, 1), ("a b c d e", 0.0, 5) })
        {
            var rest = WordDrop.Apply(text, share, (count, wanted) => [.. Enumerable.Range(0, count).Reverse().Take(wanted)]);
            Assert.Equal(left, TokenBattery.Words(rest).Length);
            Assert.Equal(TokenBattery.Words(rest).Order(StringComparer.Ordinal), TokenBattery.Words(rest));
        }
    }
}
