using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;
using Ssti.Injection.Words;

namespace Ssti.Injection.Tests;

public sealed class InjectorPropertyTests
{
    [Fact]
    public void Cutting_out_what_was_recorded_gives_back_the_text_where_whitespace_is_kept() =>
        ForAll(WhitespaceHandling.Kept, (original, _, record, result) => Assert.Equal(original, record.RemoveFrom(result)));

    [Fact]
    public void Cutting_out_what_was_recorded_gives_back_the_words_where_they_are_joined_again() =>
        ForAll(WhitespaceHandling.Rejoined, (original, steps, record, result) =>
        {
            var (before, after) = (PythonText.Split(original), PythonText.Split(record.RemoveFrom(result)));

            // Within an element the reference drops the whitespace next to the element's tags, which may then touch a word.
            if (steps.Any(step => step.Level > 0)) Assert.Equal(string.Concat(before), string.Concat(after));
            else Assert.Equal(before, after);
        });

    [Fact]
    public void A_single_step_over_whole_texts_leaves_the_words_joined_by_single_spaces() =>
        ForAll(WhitespaceHandling.Rejoined, (original, steps, record, result) =>
        {
            if (steps is [{ Level: null }]) Assert.Equal(string.Join(' ', PythonText.Split(original)), record.RemoveFrom(result));
        });

    [Theory]
    [InlineData(WhitespaceHandling.Kept)]
    [InlineData(WhitespaceHandling.Rejoined)]
    public void A_token_stands_where_its_record_says(WhitespaceHandling whitespace) => ForAll(whitespace, (_, steps, record, result) =>
    {
        var words = PythonText.Split(result);
        foreach (var token in record.Tokens)
        {
            var visible = PythonText.Strip(token.Token).ToString();
            Assert.Contains(PythonText.Split(visible)[0], words[token.Word]);
            Assert.InRange(token.Offset, token.CutStart, token.CutStart + token.CutLength);

            // A later step may part a token of several words.
            if (steps.Count == 1 || !token.Token.Contains(' ')) Assert.StartsWith(token.Token, result[token.Offset..]);
        }
    });

    [Theory]
    [InlineData(WhitespaceHandling.Kept)]
    [InlineData(WhitespaceHandling.Rejoined)]
    public void As_many_tokens_are_injected_as_the_share_of_words_says(WhitespaceHandling whitespace) => ForAll(whitespace, (original, steps, record, _) =>
    {
        if (steps is not [{ IsHtml: false } step]) return;
        Assert.Equal(Math.Max(1, (int)(PythonText.Split(original).Count * (step.WordShare ?? 0))), record.Tokens.Count);
    });

    [Fact]
    public void The_words_of_a_rejoined_text_are_those_of_a_plain_list_insert()
    {
        var tokens = TokenTable.Of(["t0", "t1", "t2"]);
        foreach (var share in new[] { 0, 0.1, 0.7, 1 })
        {
            var injector = new Injector([new() { Tokens = tokens, WordShare = share, Seed = 11, TokenSeed = 12 }]);
            var (positions, draws) = (new Injection.Randomness.CPythonRandom(11), new Injection.Randomness.CPythonRandom(12));
            foreach (var text in Samples.Texts(300))
            {
                var words = PythonText.Split(text);
                var drawn = Enumerable.Range(0, Math.Max(1, (int)(words.Count * share))).Select(_ => tokens.Text(draws.NextBelow(3))).ToList();
                foreach (var token in drawn) words.Insert(positions.NextInteger(0, words.Count), token);
                Assert.Equal(string.Join(' ', words), injector.Apply(text).ToString());
            }
        }
    }

    [Fact]
    public void Kept_and_rejoined_texts_have_the_same_words()
    {
        foreach (var steps in Samples.Steps().Where(steps => steps is [{ Level: null }]))
        {
            var (kept, rejoined) = (new Injector(steps, WhitespaceHandling.Kept), new Injector(steps));
            foreach (var text in Samples.Texts(50)) Assert.Equal(PythonText.Split(rejoined.Apply(text)), PythonText.Split(kept.Apply(text)));
        }
    }

    [Fact]
    public void With_per_row_streams_a_row_gets_the_same_tokens_in_any_company()
    {
        foreach (var steps in Samples.Steps())
        {
            var texts = Samples.Texts(20).ToArray();
            var forwards = new Injector(steps, streams: RandomStreams.PerRow);
            var backwards = new Injector(steps, streams: RandomStreams.PerRow);
            var first = texts.Select((text, i) => forwards.Apply(text, $"row {i}").ToString()).ToArray();
            for (var i = texts.Length - 1; i >= 0; i--) Assert.Equal(first[i], backwards.Apply(texts[i], $"row {i}").ToString());
        }
    }

    [Fact]
    public void Rows_of_the_same_text_get_different_tokens()
    {
        var injector = new Injector([new() { Tokens = TokenTable.Dates(1900, 2100), Seed = 1, TokenSeed = 1 }], streams: RandomStreams.PerRow);
        Assert.Equal(50, Enumerable.Range(0, 50).Select(i => injector.Apply("the same text", $"{i}").ToString()).Distinct().Count());
    }

    private static void ForAll(WhitespaceHandling whitespace, Action<string, IReadOnlyList<InjectionStepOptions>, InjectionRecord, string> check)
    {
        foreach (var steps in Samples.Steps())
        {
            var injector = new Injector(steps, whitespace);
            var tokens = new List<InjectedToken>();
            foreach (var text in Samples.Texts(60, seed: (int)steps[0].Seed))
            {
                var result = injector.Apply(text, null, tokens).ToString();
                try
                {
                    check(text, steps, new("row", [.. tokens]), result);
                }
                catch (Exception error)
                {
                    Assert.Fail($"{whitespace}, {string.Join(" then ", steps)}\nfrom: {Escaped(text)}\nto:   {Escaped(result)}\n{string.Join("\n", tokens)}\n{error.Message}");
                }
            }
        }
    }

    private static string Escaped(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
