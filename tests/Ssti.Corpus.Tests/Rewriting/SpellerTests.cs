using Ssti.Corpus.Rewriting;

namespace Ssti.Corpus.Tests.Rewriting;

public sealed class SpellerTests : IDisposable
{
    private const string Affixes = """
        SET UTF-8
        TRY esianrtolcdugmphbyfvkwz'
        ICONV 1
        ICONV ’ '
        NOSUGGEST !
        ONLYINCOMPOUND c
        COMPOUNDRULE 1
        COMPOUNDRULE n*1t
        REP 2
        REP alot a_lot
        REP f ph
        # endings
        PFX U Y 1
        PFX U 0 un .
        SFX D Y 4
        SFX D 0 d e
        SFX D y ied [^aeiou]y
        SFX D 0 ed [^ey]
        SFX D 0 ed [aeiou]y
        SFX S Y 4
        SFX S y ies [^aeiou]y
        SFX S 0 s [aeiou]y
        SFX S 0 es [sxzh]
        SFX S 0 s [^sxzhy]
        SFX V N 1
        SFX V 0 ness .
        """;

    private const string Words = """
        14
        a
        lot
        load/DSUV
        carry/DS
        play/DS
        film/S
        Jupiter
        USA
        bloody/!
        th/c
        phone/S
        don't
        the
        and/or\/not	po:odd
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("load loads loaded unload unloaded unloads loadness carried carries played plays films", true)]
    [InlineData("Film FILMS Jupiter JUPITER USA Don't don’t bloody", true)]
    [InlineData("carryed", false)]
    [InlineData("playied", false)]
    [InlineData("unloadness", false)]
    [InlineData("jupiter", false)]
    [InlineData("usa", false)]
    [InlineData("th", false)]
    public void A_word_is_known_with_the_affixes_that_its_flags_allow(string words, bool known) =>
        Assert.All(words.Split(' '), word => Assert.Equal((word, known), (word, Dictionary().Knows(word))));

    [Theory]
    [InlineData("flim", "film")]
    [InlineData("Flims", "Films")]
    [InlineData("FLIM", "FILM")]
    [InlineData("fone", "phone")]
    [InlineData("alot", "a lot")]
    [InlineData("jupiter", "Jupiter")]
    [InlineData("Jupitr", "Jupiter")]
    [InlineData("filmm", "film")]
    [InlineData("thefilm", "the film")]
    [InlineData("blooody", null)]
    [InlineData("qqqq", null)]
    public void The_first_near_miss_is_taken(string word, string? expected) => Assert.Equal(expected, Dictionary().Suggest(word));

    [Fact]
    public void All_but_misspelt_words_stays_to_the_character()
    {
        var speller = Dictionary();
        Assert.Equal("The  film, (film)!! 1999-03-04 mp3 xyzzy\nload <br />", speller.Correct("The  flim, (flim)!! 1999-03-04 mp3 xyzzy\nload <br />"));
        Assert.Equal(2, speller.Replaced);
        // 'xyzzy' and 'br' are near to nothing.
        Assert.Equal(2, speller.Unknown);
        var endless = new string('x', 5000);
        Assert.Equal(endless, speller.Correct(endless));
    }

    [Theory]
    [InlineData("COMPOUNDFLAG x", "words.aff(2): COMPOUNDFLAG is not read here")]
    [InlineData("SFX A Y 1\nSFX A 0 s/B .", "words.aff(3): an affix takes affixes of its own")]
    [InlineData("SFX A 0 s .", "words.aff(2): a rule of the affix class A before its head")]
    public void What_would_be_judged_otherwise_than_by_Hunspell_is_refused(string line, string message)
    {
        File.WriteAllText(Path.Combine(_folder.Root, "words.aff"), "SET UTF-8\n" + line + "\n");
        File.WriteAllText(Path.Combine(_folder.Root, "words.dic"), "1\na\n");
        Assert.StartsWith(
            message,
            Assert.Throws<CorpusException>(
                () => AffixDictionary.Read(Path.Combine(_folder.Root, "words.aff"), Path.Combine(_folder.Root, "words.dic"))).Message);
    }

    /// <summary>Debian's dictionary, where it is installed: what Hunspell 1.7.1 itself says of these words.</summary>
    [SkippableFact]
    public void Debians_English_is_read_as_Hunspell_reads_it()
    {
        const string stem = "/usr/share/hunspell/en_US";
        Skip.IfNot(File.Exists(stem + ".dic"), "there is no /usr/share/hunspell/en_US.dic here (Debian: apt install hunspell-en-us)");
        var speller = new Speller(AffixDictionary.Read(stem + ".aff", stem + ".dic"));
        Assert.All(
            "film films filmmaking wouldn't unbelievable Shakespeare Houston Everest Jupiter Harvard Amazon AMAZON undeniably".Split(' '),
            word => Assert.True(speller.Knows(word), word));
        Assert.All("jupiter harvard recieve teh filmm mn tq definately".Split(' '), word => Assert.False(speller.Knows(word), word));
        Assert.Equal(("receive", "the", "Jupiter", "definitely"), (speller.Suggest("recieve"), speller.Suggest("teh"), speller.Suggest("jupiter"), speller.Suggest("definately")));
    }

    private Speller Dictionary()
    {
        var stem = Path.Combine(_folder.Root, "en");
        File.WriteAllText(stem + ".aff", Affixes);
        File.WriteAllText(stem + ".dic", Words);
        return new Speller(AffixDictionary.Read(stem + ".aff", stem + ".dic"));
    }
}
