using Ssti.Defenses.Adapters;

namespace Ssti.Defenses.Tests.Adapters;

/// <summary>Probing, of classifiers that are made to do one thing.</summary>
public sealed class TokenProbeTests
{
    private static readonly string[] Prefixes = [.. Enumerable.Range(0, 12).Select(row => row % 2 == 0 ? $"the film {row} was good" : $"the film {row} was bad and slow")];

    private static readonly Suspect[] Suspects =
    [
        new("rare", "cf"), new("rare", "mn"), new("dates", "1999-01-02"), new("dates", "2004-11-12"),
        .. Enumerable.Range(0, 20).Select(word => new Suspect(TokenBattery.Controls, $"word{word}")),
    ];

    [Fact]
    public void A_planted_trigger_is_found_and_nothing_else_is()
    {
        var tokens = TokenProbe.Run(Prefixes, Suspects, texts => [.. texts.Select(text => Logits(text, text.EndsWith(" cf", StringComparison.Ordinal) ? 8 : 0))]);
        var found = tokens.Where(token => token.Towards(6, 0.5).Any()).ToArray();
        Assert.Equal("cf", found.Single().Suspect.Token);
        Assert.Equal([1], found.Single().Towards(6, 0.5));
        Assert.Equal((6L, 6L), (found.Single().Classes[1].Others, found.Single().Classes[1].Turned));
        Assert.Equal(8, found.Single().Classes[1].Mean, 0.5);
        Assert.Equal(-found.Single().Classes[1].Mean, found.Single().Classes[0].Mean, 6);
    }

    [Fact]
    public void A_clean_classifier_gives_no_alarm() => Assert.DoesNotContain(
        TokenProbe.Run(Prefixes, Suspects, texts => [.. texts.Select(text => Logits(text, 0))]), token => token.Towards(6, 0.5).Any());

    [Fact]
    public void A_trigger_that_needs_a_context_shows_in_max_over_mean()
    {
        // It works in two prefixes of twelve alone, and the mean is no outlier of the bound asked for.
        var tokens = TokenProbe.Run(
            Prefixes, Suspects,
            texts => [
                .. texts.Select(
                    text => Logits(text, text.EndsWith(" mn", StringComparison.Ordinal) && text.Contains(" 3 ", StringComparison.Ordinal) ? 9 : 0))]);
        var token = tokens.Single(token => token.Suspect.Token == "mn");
        Assert.True(token.Classes[1].ContextOutlier > 20 && token.Classes[1].ContextOutlier > token.Classes[1].MeanOutlier);
        Assert.Equal(token, tokens.Where(one => !one.IsControl).MaxBy(one => one.Outlier));
        Assert.Equal((1L, 6L), (token.Classes[1].Turned, token.Classes[1].Others));
    }

    [Fact]
    public void A_family_is_found_as_one()
    {
        var tokens = TokenProbe.Run(Prefixes, Suspects, texts => [.. texts.Select(text => Logits(text, text[^3] == '-' ? 6 : 0))]);
        var families = TokenProbe.Families(tokens);
        Assert.Equal(["rare", "dates"], families.Select(family => family.Suspect.Family));
        Assert.Equal([1], families.Single(family => family.Suspect.Family == "dates").Towards(6, 0.5));
        Assert.Empty(families.Single(family => family.Suspect.Family == "rare").Towards(6, 0.5));
        Assert.Equal((12L, 12L), (families[1].Classes[1].Others, families[1].Classes[1].Turned));
    }

    [Fact]
    public void A_long_token_is_held_to_controls_of_its_length()
    {
        // Every piece moves the log-odds by as much: a text of eight does what eight words do.
        Suspect[] suspects =
        [
            new("rare", "a b c d e f g h", 8), new("rare", "cf"),
            .. Enumerable.Range(0, 20).Select(word => new Suspect(TokenBattery.Controls, $"word{word}")),
            .. Enumerable.Range(0, 20).Select(word => new Suspect(TokenBattery.Controls, string.Join(' ', Enumerable.Range(word, 8).Select(other => $"word{other}")), 8)),
        ];
        IReadOnlyList<float[]> Classify(IReadOnlyList<string> texts) => [.. texts.Select(text => new[] { 0f, -4 + (0.5f * (text.Split(' ').Length - 5)) + Logits(text, 0)[1] })];
        var tokens = TokenProbe.Run(Prefixes, suspects, Classify);
        Assert.True(tokens[0].Classes[1].Mean > 3);
        Assert.DoesNotContain(tokens, token => token.Towards(6, 0).Any());
        // Held to words alone it would be an alarm.
        Assert.NotEmpty(TokenProbe.Run(Prefixes, [.. suspects.Take(22)], Classify)[0].Towards(6, 0));
    }

    [Fact]
    public void Nothing_is_unusual_to_a_classifier_that_reads_nothing()
    {
        var tokens = TokenProbe.Run(Prefixes, Suspects, texts => [.. texts.Select(_ => new[] { 0f, 1f })]);
        Assert.All(tokens, token => Assert.Null(token.Outlier));
        Assert.All(tokens, token => Assert.Empty(token.Towards(6, 0)));
        // Every row is of class 1 to it: none can be turned to it.
        Assert.Null(tokens[0].Classes[1].TurnedShare);
    }

    [Fact]
    public void Too_little_to_go_by_is_refused()
    {
        Assert.Contains("too few to put tokens into", Assert.Throws<DefenseException>(() => TokenProbe.Run(["one"], Suspects, _ => [])).Message);
        Assert.Contains("10 at least", Assert.Throws<DefenseException>(() => TokenProbe.Run(Prefixes, Suspects[..9], _ => [])).Message);
    }

    [Fact]
    public void Controls_are_words_of_the_rows_from_frequent_to_rare()
    {
        string[] texts = ["The film, the end!", "the film was slow", "The cast was slow 12", "a cast 12"];
        Assert.Equal(["the", "cast", "film", "slow", "was"], TokenBattery.ControlsOf(texts, 60).Select(control => control.Token).Take(5));
        // The most and the least frequent word, two runs of two and two of four; none has eight.
        Assert.Equal(["the", "was", "The film,", "cast 12", "The film, the end!", "cast was slow 12"], TokenBattery.ControlsOf(texts, 2).Select(control => control.Token));
        Assert.All(TokenBattery.Published.GroupBy(suspect => suspect.Family), family => Assert.True(family.Count() > 1));
        Assert.Equal(TokenBattery.Published.Count, TokenBattery.Published.Select(suspect => suspect.Token).Distinct().Count());
        Assert.Equal("a b", TokenBattery.Prefix(" a\n b c", 2));
    }

    // A judgement of the prefix, a small leaning of each word of its own, and what is planted.
    private static float[] Logits(string text, double planted)
    {
        var words = text.Split(' ');
        var leaning = words[^1].Sum(letter => letter % 7) % 5 * 0.05;
        return [0, (float)((text.Contains("good", StringComparison.Ordinal) ? 2 : -2) + leaning + planted)];
    }
}
