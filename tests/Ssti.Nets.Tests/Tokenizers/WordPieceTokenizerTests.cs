using Ssti.Nets.Tokenizers;
using Ssti.Tests;

namespace Ssti.Nets.Tests.Tokenizers;

public sealed class WordPieceTokenizerTests
{
    private static readonly WordPieceTokenizer Small = WordPieceTokenizer.FromPieces(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "##s", "un", "##watch", "##able", "-", "2014", "##09", "cafe", "ᄀ", "##ᅡ", "##ᆨ", ";"]);

    private static WordPieceTokenizer Bert() => WordPieceTokenizer.Load(SharedData.Path("tokenizers/bert-base-uncased/vocab.txt"));

    [SkippableFact]
    public void Every_reference_text_has_the_reference_ids()
    {
        var bert = Bert();
        var texts = 0;
        foreach (var (text, ids) in References.Of("bert"))
        {
            texts++;
            Assert.True(ids.SequenceEqual(bert.Encode(text)), $"differs: {text}");
        }

        Assert.Equal(References.Count, texts);
    }

    [SkippableTheory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(128)]
    [InlineData(4096)]
    public void Truncation_keeps_the_first_ids_and_ends_with_the_separator(int maxLength)
    {
        var bert = Bert();
        var ids = new int[maxLength];
        foreach (var (text, whole) in References.Of("bert"))
        {
            var count = bert.Encode(text, ids);
            var kept = Math.Min(whole.Length, maxLength);
            Assert.Equal(new { Kept = kept, Total = whole.Length }, new { count.Kept, count.Total });
            Assert.Equal(whole.Take(kept - 1).Append(bert.Behind[0]).Concat(Enumerable.Repeat(bert.PadId, maxLength - kept)), ids);
        }
    }

    [Fact]
    public void The_cut_is_the_start_of_the_first_word_that_does_not_fit()
    {
        const string text = "the  film unwatchable 2014";
        Assert.Equal(text.Length, Small.Encode(text, new int[8]).CutAt);
        Assert.Equal(text.IndexOf("2014", StringComparison.Ordinal), Small.Encode(text, new int[7]).CutAt);
        Assert.Equal(text.IndexOf("un", StringComparison.Ordinal), Small.Encode(text, new int[6]).CutAt);
        Assert.Equal(text.IndexOf("film", StringComparison.Ordinal), Small.Encode(text, new int[3]).CutAt);
        Assert.Equal(0, Small.Encode(text, new int[2]).CutAt);
    }

    [Theory]
    [InlineData("unwatchables", "[CLS] un ##watch ##able ##s [SEP]")]
    [InlineData("unwatchableness", "[CLS] [UNK] [SEP]")]
    [InlineData("THE Films-films", "[CLS] the film ##s - film ##s [SEP]")]
    [InlineData("201409-", "[CLS] 2014 ##09 - [SEP]")]
    [InlineData("café cafe\u0301 CAFÉ", "[CLS] cafe cafe cafe [SEP]")]
    [InlineData("각", "[CLS] ᄀ ##ᅡ ##ᆨ [SEP]")]
    [InlineData("the\nfilm\tthe\r\nfilm\u00a0the\u3000film", "[CLS] the film the film the film [SEP]")]
    [InlineData("t\u0000h\u200be\u0007", "[CLS] the [SEP]")]
    [InlineData("film\u037efilm", "[CLS] film ; film [SEP]")]
    [InlineData("the[SEP]film [sep]", "[CLS] the [SEP] film [UNK] [UNK] [UNK] [SEP]")]
    [InlineData("\ud800the\udc00 film", "[CLS] the film [SEP]")]
    [InlineData("", "[CLS] [SEP]")]
    public void A_text_becomes_pieces(string text, string pieces) =>
        Assert.Equal(pieces, string.Join(' ', Small.Encode(text).Select(Small.Piece)));

    [Theory]
    [InlineData(100, "[CLS] un ##s")]
    [InlineData(101, "[CLS] [UNK] [SEP]")]
    [InlineData(5000, "[CLS] [UNK] [SEP]")]
    public void A_word_of_more_than_a_hundred_characters_is_unknown(int length, string start) =>
        Assert.StartsWith(start, string.Join(' ', Small.Encode("un" + new string('s', length - 2)).Select(Small.Piece)), StringComparison.Ordinal);

    [Fact]
    public void A_cased_tokenizer_keeps_case_and_accents()
    {
        var cased = WordPieceTokenizer.FromPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Café", "café"], lowercase: false);
        Assert.Equal([2, 5, 6, 1, 3], cased.Encode("Café café cafe"));
    }

    [Fact]
    public void A_vocabulary_without_special_tokens_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => WordPieceTokenizer.FromPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the"]));
        Assert.Contains("no line '[MASK]'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_piece_that_stands_twice_the_last_line_counts_and_it_is_said()
    {
        var twice = WordPieceTokenizer.FromPieces(["[PAD]", "the", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "", ""]);
        Assert.Equal([3, 6, 4], twice.Encode("the"));
        Assert.Equal(2, twice.Repeated.Count);
        Assert.Contains("(7): 'the' stands on line 2 already; the last line counts", twice.Repeated[0], StringComparison.Ordinal);
        Assert.Equal(9, twice.VocabularySize);
    }
}
