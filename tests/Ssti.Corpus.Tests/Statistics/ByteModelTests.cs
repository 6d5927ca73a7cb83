using Ssti.Corpus.Statistics;

namespace Ssti.Corpus.Tests.Statistics;

public sealed class ByteModelTests
{
    private static readonly string[] Texts = ["the film was good", "the film was bad", "a good film", "the story was good and the film was too"];

    [Fact]
    public void Bigrams_have_the_probabilities_of_interpolated_Kneser_Ney()
    {
        // "ab" and "ac": S→a 2; a→b 1, a→c 1; b→E 1; c→E 1. Bigram counts of 1: 4, of 2: 1, so D2 = 4/6. Continuations: a 1, b 1, c 1, E 2: D1 = 3/(3+2).
        var model = ByteModel.Train(["ab", "ac"], 2, CancellationToken.None);
        double d1 = 3.0 / 5, d2 = 4.0 / 6, uniform = 1.0 / 257;
        double One(int kinds) => (kinds - d1) / 5 + d1 * 4 / 5 * uniform;
        var a = (2 - d2) / 2 + d2 * 1 / 2 * One(1);
        var b = (1 - d2) / 2 + d2 * 2 / 2 * One(1);
        var end = (1 - d2) / 1 + d2 * 1 / 1 * One(2);
        var (nats, symbols) = model.Surprise("ab");
        Assert.Equal(3, symbols);
        Assert.Equal(-Math.Log(a * b * end), nats, 12);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void Whatever_comes_next_its_probabilities_sum_to_1(int order)
    {
        var model = ByteModel.Train(Texts, order, CancellationToken.None);
        Assert.All(["", "the fil", "zz", "good", "ÿ"], beginning => Assert.Equal(1, Enumerable.Range(0, 257).Sum(symbol => model.Next(beginning, symbol)), 12));
    }

    [Fact]
    public void What_it_has_read_surprises_it_less_than_what_it_has_not()
    {
        var model = ByteModel.Train(Texts, 5, CancellationToken.None);
        var (known, strange) = (model.Perplexity("the film was good"), model.Perplexity("the film 1987-03-14 was good"));
        Assert.InRange(known, 1, 4);
        Assert.True(strange > 1.5 * known, $"{strange} and {known}");
        Assert.True(model.Perplexity("ÿ ✓") > 50);
        Assert.True(double.IsFinite(model.Perplexity("")));
    }

    [Fact]
    public void A_model_of_nothing_finds_everything_equally_likely() =>
        Assert.Equal(257, ByteModel.Train([], 3, CancellationToken.None).Perplexity("anything"), 9);
}
