using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Tests;

namespace Ssti.Nets.Tests.Tokenizers;

/// <summary>A tokenizer as people's folders hold one: its settings are followed or refused by name.</summary>
public sealed class TokenizerFolderTests : IDisposable
{
    private static readonly string[] Vocabulary =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "café", "the", "The", "film", "##s", "<", ">", "date", "中", "文", "中文", "i", "##\u0307", "a", "##b"];

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti tokenizer ").FullName;

    public TokenizerFolderTests() => Write("vocab.txt", string.Join('\n', Vocabulary) + "\n");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{}", "Café THE", "cafe the")]
    [InlineData("""{ "do_lower_case": true, "strip_accents": false }""", "CAFÉ The", "café the")]
    [InlineData("""{ "do_lower_case": false }""", "café The", "café The")]
    [InlineData("""{ "do_lower_case": false, "strip_accents": true }""", "café The", "cafe The")]
    [InlineData("""{ "strip_accents": null }""", "café", "cafe")]
    [InlineData("""{ "strip_accents": false }""", "\u0130", "i ##\u0307")]
    [InlineData("""{ "tokenize_chinese_chars": false }""", "中文", "中文")]
    [InlineData("""{ "tokenize_chinese_chars": true }""", "中文", "中 文")]
    [InlineData("""{ "clean_text": false }""", "the\u000bfilm", "the film")]
    [InlineData("""{ "clean_text": true }""", "the\u000bfilm", "[UNK]")]
    [InlineData(
        """{ "model_max_length": 512, "padding_side": "right", "stride": 0, "never_split": ["[SEP]"], "do_basic_tokenize": true, "tokenizer_class": "BertTokenizer" }""",
        "the", "the")]
    public void The_settings_of_tokenizer_config_are_followed(string config, string text, string pieces)
    {
        Write("tokenizer_config.json", config);
        Assert.Equal(pieces, Pieces(text));
    }

    [Theory]
    [InlineData("""{ "do_basic_tokenize": false }""", "do_basic_tokenize is false")]
    [InlineData("""{ "never_split": ["film"] }""", "never_split")]
    [InlineData("""{ "padding_side": "left" }""", "padding_side is \"left\"")]
    [InlineData("""{ "truncation_side": "left" }""", "truncation_side")]
    [InlineData("""{ "split_special_tokens": true }""", "split_special_tokens is true")]
    [InlineData("""{ "tokenizer_class": "BertJapaneseTokenizer" }""", "tokenizer_class is 'BertJapaneseTokenizer'")]
    [InlineData("""{ "word_tokenizer_type": "mecab" }""", "'word_tokenizer_type' (\"mecab\") is a setting not known here")]
    [InlineData("""{ "do_lower_case": "yes" }""", "do_lower_case is \"yes\", and must be true or false")]
    [InlineData("""{ "cls_token": "<s>" }""", "special token '<s>' is neither in the vocabulary nor among the added tokens")]
    [InlineData("""{ "additional_special_tokens": ["<x>"] }""", "special token '<x>' is neither")]
    [InlineData("""{ "added_tokens_decoder": { "5": { "content": "<x>" } } }""", "the added token '<x>' has the id 5 of 'cafe'")]
    [InlineData("""{ "added_tokens_decoder": { "21": { "content": "film" } } }""", "'film' has the id 9 in the vocabulary, and as an added token 21")]
    [InlineData("""{ "added_tokens_decoder": { "21": { "content": "<x>", "new_flag": true } } }""", "a setting 'new_flag'")]
    [InlineData("""{ "additional_special_tokens": "<x>" }""", "additional_special_tokens is \"<x>\", and must be a list of tokens")]
    [InlineData("""{ "added_tokens_decoder": { "2000000000": { "content": "<x>" } } }""", "the added token '<x>' has the id 2000000000, which no embedding can have")]
    [InlineData("""{ "do_lower_case": true, "do_lower_case": false }""", "is not JSON")]
    [InlineData("""{ "added_tokens_decoder": { "x": { "content": "<x>" } } }""", "'x' is no id")]
    [InlineData("""{ "do_lower_case": true, """, "mine/tokenizer_config.json is not JSON")]
    public void A_setting_that_is_not_offered_is_refused_by_its_name(string config, string expected)
    {
        Write("tokenizer_config.json", config);
        var message = Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        Assert.Contains(expected, message);
        Assert.Contains("mine", message);
        Assert.DoesNotContain(_folder, message);
    }

    [Theory]
    [InlineData("""{ "content": "<date>", "special": false, "normalized": true }""", "the <DATE> films", "the <date> film ##s")]
    [InlineData("""{ "content": "<date>", "special": false, "normalized": false }""", "the <DATE> <date>", "the < date > <date>")]
    [InlineData("""{ "content": "<DÀTE>", "normalized": true }""", "a<dàte>b", "a <DÀTE> [UNK]")]
    [InlineData("""{ "content": "ilm", "normalized": false, "single_word": true }""", "film ilm", "film ilm")]
    [InlineData("""{ "content": "ilm", "normalized": false }""", "film ilm", "[UNK] ilm ilm")]
    [InlineData("""{ "content": "<date>", "normalized": false, "lstrip": true, "rstrip": true }""", "the  <date>  film", "the <date> film")]
    [InlineData("""{ "content": "[SEP]s", "normalized": false }""", "the[SEP]s [SEP]", "the [SEP]s [SEP]")]
    public void An_added_token_is_one_id(string token, string text, string pieces)
    {
        Write("tokenizer_config.json", $$"""{ "added_tokens_decoder": { "21": {{token}} } }""");
        Assert.Equal(pieces, Pieces(text));
        Assert.Equal(22, TokenizerFolder.Read(_folder).VocabularySize);
    }

    [Fact]
    public void Added_tokens_of_the_older_file_are_one_id_each_and_are_where_they_are_cut()
    {
        Write("added_tokens.json", """{ "<date>": 21 }""");
        var tokenizer = TokenizerFolder.Read(_folder);
        Assert.Equal([2, 7, 21, 9, 3], tokenizer.Encode("The <Date> film"));
        const string text = "\u200b中 the <date> é <date>";
        Assert.Equal(text.LastIndexOf("<date>", StringComparison.Ordinal), tokenizer.Encode(text, new int[6]).CutAt);
        Assert.False(tokenizer.IsSpecial(21));

        Write("tokenizer_config.json", """{ "added_tokens_decoder": { "22": { "content": "<date>" } } }""");
        Assert.Contains("gives '<date>' the id 22, and added_tokens.json 21", Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder)).Message);
    }

    [Fact]
    public void An_id_that_no_embedding_can_have_is_refused_at_once()
    {
        foreach (var id in new[] { "-1", "2147483647" })
        {
            Write("added_tokens.json", $$"""{ "<x>": {{id}} }""");
            Assert.Contains($"mine/added_tokens.json: the added token '<x>' has the id {id}", Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
        }
    }

    [Fact]
    public void Files_may_begin_with_a_byte_order_mark()
    {
        Write("vocab.txt", "\uFEFF" + string.Join("\r\n", Vocabulary) + "\r\n");
        Write("tokenizer_config.json", """﻿{ "do_lower_case": false }""");
        Assert.Equal("The film ##s", Pieces("The films"));
    }

    [Fact]
    public void A_vocabulary_in_another_encoding_is_refused()
    {
        File.WriteAllBytes(Path.Combine(_folder, "vocab.txt"), System.Text.Encoding.Latin1.GetBytes(string.Join('\n', Vocabulary[..14])));
        Assert.Contains("mine/vocab.txt is not UTF-8", Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    [Theory]
    [InlineData(true, "the film a", null)]
    [InlineData(false, "the film The", null)]
    [InlineData(false, "中 文", null)]
    [InlineData(true, "a b A B ##C the film", null)]
    [InlineData(true, "The Film a", "do_lower_case is true, and 2 of 2 words in the vocabulary have capital letters")]
    [InlineData(false, "the film a", "do_lower_case is false, and no piece has a capital letter")]
    [InlineData(true, "the\t17 film\t3 a", "2 of 3 pieces hold a blank or a tab, such as 'the\t17'")]
    public void Pieces_that_no_text_can_give_are_doubtful(bool lowercase, string pieces, string? expected)
    {
        var tokenizer = WordPieceTokenizer.FromPieces([.. Vocabulary[..5], "[unused0]", .. pieces.Split(' ')], lowercase);
        if (expected is null) Assert.Empty(VocabularyFile.Doubts(tokenizer));
        else Assert.Contains(expected, Assert.Single(VocabularyFile.Doubts(tokenizer)));
    }

    [Fact]
    public void Special_tokens_may_have_other_names()
    {
        Write("vocab.txt", "<p>\n<u>\n<s>\n</s>\n<m>\nthe\n");
        Write(
            "special_tokens_map.json",
            """{ "pad_token": "<p>", "unk_token": "<u>", "cls_token": { "content": "<s>", "lstrip": false }, "sep_token": "</s>", "mask_token": "<m>" }""");
        var tokenizer = TokenizerFolder.Read(_folder);
        Assert.Equal([2, 5, 3, 1, 3], tokenizer.Encode("the</s>film"));
        Assert.Equal<(int, int?)>((0, 4), (tokenizer.PadId, tokenizer.MaskId));

        Write("tokenizer_config.json", """{ "sep_token": "<m>" }""");
        Assert.Contains(
            "sep_token is \"<m>\", and special_tokens_map.json that it is \"</s>\"",
            Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    [Fact]
    public void A_tokenizer_json_alone_is_enough()
    {
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        Write("tokenizer.json", Json().ToJsonString());
        Assert.Equal("cafe the film ##s", Pieces("Café the films"));
        Assert.Equal(Vocabulary.Length, TokenizerFolder.Read(_folder).VocabularySize);
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "model.type", "\"BPE\"", "its model is 'BPE'" },
        { "model.dropout", "0.1", "model.dropout is a setting not known here" },
        { "model.max_input_chars_per_word", "200", "at most 100 is offered" },
        { "normalizer", """{ "type": "Sequence", "normalizers": [{ "type": "NFD" }, { "type": "Lowercase" }] }""", "its normalizer is Sequence of NFD, Lowercase" },
        { "pre_tokenizer", """{ "type": "Whitespace" }""", "its pre_tokenizer is Whitespace" },
        { "pre_tokenizer", "null", "its pre_tokenizer is none" },
        { "post_processor", """{ "type": "TemplateProcessing", "single": [{ "Sequence": { "id": "A", "type_id": 0 } }] }""", "its post_processor (TemplateProcessing)" },
        { "post_processor", """{ "type": "BertProcessing", "sep": ["[MASK]", 4], "cls": ["[CLS]", 2] }""", "sep_token" },
        { "truncation", """{ "direction": "Left", "max_length": 512 }""", "truncation has the direction 'Left'" },
        { "padding", """{ "direction": "Left", "pad_token": "[PAD]" }""", "padding has the direction 'Left'" },
        { "padding", """{ "direction": "Right", "pad_token": "[MASK]" }""", "pad_token" },
        { "padding", """{ "direction": "Right", "pad_token": "[PAD]", "pad_id": 1 }""", "its padding gives [PAD] the id 1, and the vocabulary 0" },
        { "post_processor", """{ "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 4] }""", "its post_processor gives [CLS] the id 4, and the vocabulary 2" },
        {
            "post_processor",
            """
            {
              "type": "TemplateProcessing",
              "single": [{ "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }, { "SpecialToken": { "id": "[SEP]", "type_id": 0 } }],
              "special_tokens": { "[CLS]": { "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"] }, "[SEP]": { "id": "[SEP]", "ids": [102], "tokens": ["[SEP]"] } }
            }
            """,
            "its post_processor gives [SEP] the id 102, and the vocabulary 3"
        },
        { "model.vocab", """{ "[PAD]": 0, "the": 1, "the": 2 }""", "is not JSON" },
        { "something", "{}", "something is" },
        { "model.vocab", """{ "[PAD]": 0, "the": 1 }""", "they are of two tokenizers" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_part_of_tokenizer_json_that_is_not_offered_is_refused_by_its_name(string key, string value, string expected)
    {
        var json = Json();
        var target = key.StartsWith("model.", StringComparison.Ordinal) ? json["model"]!.AsObject() : json;
        target[key[(key.IndexOf('.') + 1)..]] = JsonNode.Parse(value);
        Write("tokenizer.json", json.ToJsonString());
        Write("tokenizer_config.json", """{ "pad_token": "[PAD]", "sep_token": "[SEP]" }""");
        Assert.Contains(expected, Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    [Fact]
    public void Parts_of_tokenizer_json_are_followed()
    {
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        var json = Json();
        json["normalizer"]!["strip_accents"] = false;
        json["model"]!["max_input_chars_per_word"] = 4;
        json["model"]!["continuing_subword_prefix"] = "##";
        json["truncation"] = JsonNode.Parse("""{ "direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0 }""");
        json["added_tokens"] = JsonNode.Parse(
            """[{ "id": 21, "content": "<date>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false }]""");
        Write("tokenizer.json", json.ToJsonString());
        Assert.Equal("café [UNK] <date>", Pieces("Café films <DATE>"));

        json["normalizer"] = null;
        Write("tokenizer.json", json.ToJsonString());
        Assert.Equal("The [UNK] <date>", Pieces("The THE <date>"));
    }

    [Fact]
    public void Another_prefix_of_continuing_pieces_is_followed()
    {
        Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n@@@@@do\n@@@@@ne\n");
        Write("tokenizer_config.json", """{ "wordpieces_prefix": "@@@@@" }""");
        Assert.Equal("un @@@@@do @@@@@ne", Pieces("undone"));
        Assert.Equal("[UNK]", Pieces("undones"));
    }

    [Fact]
    public void Files_that_contradict_each_other_are_refused()
    {
        Write("tokenizer.json", Json().ToJsonString());
        Write("tokenizer_config.json", """{ "do_lower_case": false }""");
        var message = Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        Assert.Equal("mine: tokenizer.json says that lowercase is true, and tokenizer_config.json that it is false; make them agree", message);
    }

    [Fact]
    public void A_folder_without_a_vocabulary_says_what_is_known()
    {
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        Assert.Contains("has no vocab.txt (WordPiece: BERT), tokenizer.model", Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    [SkippableFact]
    public void The_tokenizer_json_of_bert_base_gives_the_ids_of_its_vocabulary()
    {
        var source = SharedData.Path("tokenizers/bert-base-uncased");
        File.Delete(Path.Combine(_folder, "vocab.txt"));
        File.Copy(Path.Combine(source, "tokenizer.json"), Path.Combine(_folder, "tokenizer.json"));
        var (whole, lines) = (TokenizerFolder.Read(_folder), TokenizerFolder.Read(source));
        Assert.Equal(lines.Digest(), whole.Digest());
        Assert.Equal(WordPieceTokenizer.Load(Path.Combine(source, "vocab.txt")).Encode("A naïve [SEP] test, unaffable"), whole.Encode("A naïve [SEP] test, unaffable"));
    }

    private static JsonObject Json() => new()
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(),
        ["normalizer"] = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null, ["lowercase"] = true },
        ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
        ["model"] = new JsonObject
        {
            ["type"] = "WordPiece", ["unk_token"] = "[UNK]", ["max_input_chars_per_word"] = 100,
            ["vocab"] = new JsonObject(Vocabulary.Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id))),
        },
    };

    private string Pieces(string text)
    {
        var tokenizer = TokenizerFolder.Read(_folder);
        return string.Join(' ', tokenizer.Encode(text)[1..^1].Select(tokenizer.Piece));
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text);
}
