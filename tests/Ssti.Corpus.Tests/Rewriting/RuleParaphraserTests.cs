using Ssti.Corpus.Rewriting;

namespace Ssti.Corpus.Tests.Rewriting;

public sealed class RuleParaphraserTests
{
    [Theory]
    [InlineData(ParaphraseRule.Clauses, "The film is long, but it never bores.", "Although the film is long, it never bores.")]
    [InlineData(ParaphraseRule.Clauses, "it fails badly because nobody cares .", "because nobody cares, it fails badly .")]
    [InlineData(ParaphraseRule.Clauses, "When the lights go out, you will be glad!", "You will be glad when the lights go out!")]
    [InlineData(ParaphraseRule.Clauses, "short, but sweet", "short, but sweet")]
    [InlineData(ParaphraseRule.Contractions, "I don't mind", "I do not mind")]
    [InlineData(ParaphraseRule.Contractions, "that is all", "that's all")]
    [InlineData(ParaphraseRule.FunctionWords, "In order to win", "To win")]
    [InlineData(ParaphraseRule.Synonyms, "A tale .", "A story .")]
    [InlineData(ParaphraseRule.Punctuation, "wow !! so good!", "wow . so good.")]
    [InlineData(ParaphraseRule.Punctuation, "what?! 1999-03-04 <b>", "what? 1999-03-04 <b>")]
    public void A_rule_changes_what_it_says(ParaphraseRule rule, string text, string expected)
    {
        var paraphraser = new RuleParaphraser(new HashSet<ParaphraseRule> { rule }, 1);
        // Where a rule has several answers, one of the seeds gives the one expected.
        Assert.Contains(expected, Enumerable.Range(0, 20).Select(seed => paraphraser.Rewrite(text, (ulong)seed)));
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_and_a_token_stays_as_it_is()
    {
        var paraphraser = new RuleParaphraser(Enum.GetValues<ParaphraseRule>().ToHashSet(), 0.5);
        const string text = "This film is very good, but the story isn't great because 1987-03-14 nobody in it is funny !!";
        var texts = Enumerable.Range(0, 50).Select(seed => paraphraser.Rewrite(text, (ulong)seed)).ToArray();
        Assert.Equal(texts, Enumerable.Range(0, 50).Select(seed => paraphraser.Rewrite(text, (ulong)seed)));
        Assert.InRange(texts.Distinct().Count(), 30, 50);
        Assert.All(texts, one => Assert.Contains("1987-03-14", one));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("!")]
    [InlineData("... , but . because !")]
    [InlineData("but but but , but but but but")]
    [InlineData(", , , , , , , ,")]
    [InlineData("when , a b c d e f")]
    public void Odd_texts_do_no_harm(string text)
    {
        var paraphraser = new RuleParaphraser(Enum.GetValues<ParaphraseRule>().ToHashSet(), 1);
        for (var seed = 0; seed < 20; seed++) Assert.NotNull(paraphraser.Rewrite(text, (ulong)seed));
    }
}
