using Google.Protobuf;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Tests;

namespace Ssti.Nets.Tests.Tokenizers;

public sealed class SentencePieceTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti sentencepiece ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Tokenizer Llama() => TokenizerFolder.Read(SharedData.Path("tokenizers/llama2"));

    [SkippableFact]
    public void Every_reference_text_has_the_reference_ids()
    {
        var llama = Llama();
        Assert.Equal(("SentencePiece", 32000, 2, 0), (llama.Kind, llama.VocabularySize, llama.PadId, llama.UnknownId));
        Assert.Equal(References.Count, References.Of("llama2").Count());
        foreach (var (text, ids) in References.Of("llama2")) Assert.True(ids.Prepend(1).SequenceEqual(llama.Encode(text)), $"differs: {text}");
    }

    [SkippableFact]
    public void The_tokenizer_json_that_Hugging_Face_makes_of_it_gives_the_same_ids()
    {
        var model = SentencePieceModel.Read(SharedData.Path("tokenizers/llama2/tokenizer.model"), "llama2");
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), HubForms.SentencePiece(model).ToJsonString());
        var whole = TokenizerFolder.Read(_folder);
        Assert.Equal(32000, whole.VocabularySize);
        var llama = Llama();
        foreach (var (text, ids) in References.Of("llama2"))
        {
            Assert.True(ids.Prepend(1).SequenceEqual(whole.Encode(text)), $"differs: {text}");
            Assert.Equal(llama.Starts(text), whole.Starts(text));
        }

        // Both files in one folder must be of one tokenizer, and then the model is read.
        File.Copy(SharedData.Path("tokenizers/llama2/tokenizer.model"), Path.Combine(_folder, "tokenizer.model"));
        Assert.Equal(llama.Digest(), TokenizerFolder.Read(_folder).Digest());
    }

    [Theory]
    [InlineData("....", "▁ .. ..")]
    [InlineData(".....", "▁ .. .. .")]
    [InlineData("a b", "▁a ▁ b")]
    [InlineData("  a", "▁▁ ▁a")]
    [InlineData("<s>é", "▁ <0x3C> <0x73> <0x3E> <0xC3> <0xA9>")]
    [InlineData("▁a", "▁ ▁a")]
    [InlineData("", "")]
    [InlineData("abc", "▁a bc")]
    [InlineData("bcb", "▁ bc b")]
    [InlineData("😀", "▁ <0xF0> <0x9F> <0x98> <0x80>")]
    public void Pieces_of_a_high_score_merge_first_and_from_the_left(string text, string pieces)
    {
        var small = Small();
        Assert.Equal(pieces, string.Join(' ', small.Pieces(text).Select(small.Piece)));
        Assert.Equal(small.Pieces(text).Prepend(1), small.Encode(text));
    }

    [Fact]
    public void Half_a_character_is_a_replacement_character()
    {
        var small = Small();
        foreach (var half in new[] { "\ud83d", "\ude00" }) Assert.Equal("▁a <0xEF> <0xBF> <0xBD> bc", string.Join(' ', small.Pieces($"a{half}bc").Select(small.Piece)));
    }

    [Fact]
    public void The_cut_and_the_starts_are_places_in_the_text()
    {
        var small = Small();
        const string text = "a abc é";
        Assert.Equal("<s> ▁a ▁a bc ▁ <0xC3> <0xA9>", string.Join(' ', small.Encode(text).Select(small.Piece)));
        Assert.Equal([-1, 0, 2, 3, 5, 6, 6], small.Starts(text));
        foreach (var (length, cut) in new[] { (7, 7), (6, 6), (5, 6), (4, 5), (3, 3), (2, 2), (1, 0) })
        {
            var ids = new int[length];
            Assert.Equal(new TokenCount(Math.Min(length, 7), 7, cut), small.Encode(text, ids));
            Assert.Equal(small.Encode(text).Take(length), ids);
        }

        var padded = new int[9];
        Assert.Equal(new TokenCount(7, 7, 7), small.Encode(text, padded));
        Assert.Equal([2, 2], padded[7..]);
        Assert.Equal(("a", false), small.Shown(small.Encode(text)[1]));
        Assert.Equal(("bc", true), small.Shown(small.Encode(text)[3]));
    }

    [Theory]
    [InlineData(2, 3, 1, "with the algorithm unigram; byte-pair encoding (BPE) is known")]
    [InlineData(2, 35, 0, "with no pieces for bytes (byte_fallback is false)")]
    [InlineData(2, 24, 1, "with blanks behind words (treat_whitespace_as_suffix is true)")]
    [InlineData(3, 3, 0, "with add_dummy_prefix false")]
    [InlineData(3, 4, 1, "with remove_extra_whitespaces true")]
    [InlineData(3, 5, 0, "with escape_whitespaces false")]
    [InlineData(3, 2, -1, "with a normaliser of its own ('identity'); the identity is known")]
    public void A_model_with_other_settings_is_refused_by_their_name(int message, int field, int value, string expected)
    {
        Model().Write(Path.Combine(_folder, "tokenizer.model"));
        using (var file = new FileStream(Path.Combine(_folder, "tokenizer.model"), FileMode.Append))
        using (var output = new CodedOutputStream(file))
        {
            // Of a message that stands twice the last one counts here; the settings are written anew with one of them changed.
            using var own = new MemoryStream();
            using (var settings = new CodedOutputStream(own, leaveOpen: true))
            {
                var fields = message == 2 ? new Dictionary<int, int> { [3] = 2, [35] = 1 } : new() { [3] = 1, [4] = 0, [5] = 1 };
                fields[field] = value;
                settings.WriteTag((1 << 3) | 2);
                settings.WriteString("identity");
                foreach (var (number, content) in fields)
                {
                    settings.WriteTag((uint)(number << 3) | (content < 0 ? 2u : 0));
                    if (content < 0) settings.WriteString("a map");
                    else settings.WriteInt32(content);
                }
            }

            output.WriteTag((uint)(message << 3) | 2);
            output.WriteBytes(ByteString.CopyFrom(own.ToArray()));
        }

        var error = Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        Assert.Equal($"mine/tokenizer.model is a SentencePiece model {expected}; that is not offered here", error);
    }

    [Fact]
    public void A_model_with_pieces_that_are_not_known_or_lacking_is_refused()
    {
        var pieces = Model().Pieces;
        Assert.Contains("the piece 'é' (id 268) of the kind UserDefined", Refused([.. pieces, new SentencePiece("é", 0, SentencePieceKind.UserDefined)]));
        Assert.Contains("the piece 'bc' stands there 2 times", Refused([.. pieces, new SentencePiece("bc", 0)]));
        Assert.Contains("has no piece <0xFF>", Refused([.. pieces.Where(piece => piece.Text != "<0xFF>")]));
        File.WriteAllBytes(Path.Combine(_folder, "tokenizer.model"), [10, 200, 1]);
        Assert.Contains(
            "mine/tokenizer.model is neither a SentencePiece model nor a tiktoken file",
            Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);

        string Refused(IReadOnlyList<SentencePiece> with)
        {
            new SentencePieceModel(with).Write(Path.Combine(_folder, "tokenizer.model"));
            return Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        }
    }

    [Theory]
    [InlineData("""{ "add_bos_token": false }""", "▁a")]
    [InlineData("""{ "add_bos_token": true, "add_eos_token": true, "legacy": false, "sp_model_kwargs": {} }""", "<s> ▁a </s>")]
    [InlineData("""{ "tokenizer_class": "LlamaTokenizer", "bos_token": { "content": "</s>", "normalized": false } }""", "</s> ▁a")]
    [InlineData("""{ "added_tokens_decoder": { "268": { "content": "[PAD]", "special": true } }, "pad_token": "[PAD]" }""", "<s> ▁a")]
    public void The_settings_of_tokenizer_config_are_followed(string config, string pieces)
    {
        Model().Write(Path.Combine(_folder, "tokenizer.model"));
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), config);
        var tokenizer = TokenizerFolder.Read(_folder);
        Assert.Equal(pieces, string.Join(' ', tokenizer.Encode("a").Select(tokenizer.Piece)));
        Assert.Equal(config.Contains("[PAD]", StringComparison.Ordinal) ? (268, 269) : (2, 268), (tokenizer.PadId, tokenizer.VocabularySize));
    }

    [Theory]
    [InlineData("""{ "pad_token": "[PAD]" }""", "the special token '[PAD]' is neither in the vocabulary nor among the added tokens")]
    [InlineData("""{ "added_tokens_decoder": { "268": { "content": "<x>" } } }""", "the added token '<x>' (268) is not special, so that it is looked for in texts")]
    [InlineData("""{ "added_tokens_decoder": { "5": { "content": "<x>", "special": true } } }""", "the added token '<x>' has the id 5 of a piece")]
    [InlineData("""{ "add_prefix_space": false }""", "add_prefix_space is false, which is not offered here")]
    [InlineData("""{ "padding_side": "left" }""", "padding_side is \"left\", which is not offered here")]
    [InlineData("""{ "tokenizer_class": "BertTokenizer" }""", "tokenizer_class is 'BertTokenizer', and only Llama's are known")]
    [InlineData("""{ "sp_model_kwargs": { "enable_sampling": true } }""", "'sp_model_kwargs' ({\"enable_sampling\":true}) is a setting not known here")]
    [InlineData("""{ "add_bos_token": "yes" }""", "add_bos_token is \"yes\", and must be true or false")]
    public void A_setting_that_is_not_offered_is_refused_by_its_name(string config, string expected)
    {
        Model().Write(Path.Combine(_folder, "tokenizer.model"));
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), config);
        Assert.Contains(expected, Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    private Tokenizer Small()
    {
        Model().Write(Path.Combine(_folder, "tokenizer.model"));
        return TokenizerFolder.Read(_folder);
    }

    // ▁a before bc before ab, so that abc is ▁a bc.
    private static SentencePieceModel Model() => new(
    [
        new("<unk>", 0, SentencePieceKind.Unknown), new("<s>", 0, SentencePieceKind.Control), new("</s>", 0, SentencePieceKind.Control),
        .. Enumerable.Range(0, 256).Select(value => new SentencePiece(SentencePieceModel.ByteName(value), 0, SentencePieceKind.Byte)),
        new("▁a", -1), new("bc", -2), new("..", -3), new("▁▁", -4), new("▁", -5), new("a", -6), new("b", -7), new("c", -8), new(".", -9),
    ]);
}
