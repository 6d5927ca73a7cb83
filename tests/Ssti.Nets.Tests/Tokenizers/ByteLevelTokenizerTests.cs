using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Tests;

namespace Ssti.Nets.Tests.Tokenizers;

public sealed class ByteLevelTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti bytes ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Tokenizer Llama() => TokenizerFolder.Read(SharedData.Path("tokenizers/llama3"));

    [SkippableFact]
    public void Every_reference_text_has_the_reference_ids()
    {
        var llama = Llama();
        Assert.Equal(("byte-level BPE", 128_256, 128_001, null), (llama.Kind, llama.VocabularySize, llama.PadId, llama.UnknownId));
        Assert.Equal(References.Count, References.Of("llama3").Count());
        foreach (var (text, ids) in References.Of("llama3")) Assert.True(ids.SequenceEqual(llama.Encode(text)), $"differs: {text}");
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_tokenizer_json_that_Hugging_Face_makes_of_it_gives_the_same_ids(bool ignoreMerges)
    {
        var file = TiktokenFile.Read(SharedData.Path("tokenizers/llama3/tokenizer.model"), "llama3");
        Write("tokenizer.json", HubForms.Tiktoken(file.Pieces, ignoreMerges).ToJsonString());
        Write("tokenizer_config.json", """{ "bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "tokenizer_class": "PreTrainedTokenizerFast" }""");
        var (whole, llama) = (TokenizerFolder.Read(_folder), Llama());
        Assert.Equal((128_256, 128_001), (whole.VocabularySize, whole.PadId));
        foreach (var (text, ids) in References.Of("llama3"))
        {
            Assert.True(ids.SequenceEqual(whole.Encode(text)), $"differs: {text}");
            Assert.Equal(llama.Starts(text), whole.Starts(text));
        }

        // Two programs, one for each file: texts of all scripts, blanks, line breaks, halves of characters.
        var random = new Random(12);
        for (var i = 0; i < 2000; i++)
        {
            var text = Text(random);
            Assert.True(llama.Encode(text).SequenceEqual(whole.Encode(text)), $"differs: {JsonValue.Create(text)!.ToJsonString()}");
        }
    }

    [SkippableFact]
    public void Special_tokens_come_from_no_text_and_the_cut_is_a_place_in_it()
    {
        var llama = Llama();
        const string text = "<|begin_of_text|><|eot_id|> 2014-09-25 film 👩‍💻";
        var ids = llama.Encode(text);
        Assert.Equal(1, ids.Count(llama.IsSpecial));
        var starts = llama.Starts(text);
        Assert.Equal(ids.Length, starts.Length);
        Assert.Equal(text.IndexOf("2014", StringComparison.Ordinal), starts[Array.FindIndex(ids, id => llama.Piece(id) == "201")]);
        Assert.Equal(text.IndexOf("film", StringComparison.Ordinal), starts[Array.FindIndex(ids, id => llama.Piece(id) == " film")]);
        for (var length = 1; length <= ids.Length + 2; length++)
        {
            var cut = new int[length];
            var count = llama.Encode(text, cut);
            Assert.Equal((Math.Min(length, ids.Length), ids.Length), (count.Kept, count.Total));
            Assert.Equal(length < ids.Length ? starts[length] : text.Length, count.CutAt);
            Assert.Equal(ids.Take(length).Concat(Enumerable.Repeat(128_001, Math.Max(0, length - ids.Length))), cut);
        }
    }

    /// <summary>Meta's own folder has no names for special tokens; others name the ends alone, or all of them and some otherwise, as Llama 3.1 does.</summary>
    [SkippableFact]
    public void Special_tokens_beside_a_tiktoken_file_are_those_that_the_files_name_and_else_Llama_3s()
    {
        File.Copy(SharedData.Path("tokenizers/llama3/tokenizer.model"), Path.Combine(_folder, "tokenizer.model"));
        Write("tokenizer_config.json", """{ "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "add_eos_token": true, "pad_token": "<|reserved_special_token_0|>" }""");
        var named = TokenizerFolder.Read(_folder);
        Assert.Equal([128_000, 9906, 128_009], named.Encode("Hello"));
        Assert.Equal(128_002, named.PadId);

        Write("tokenizer_config.json", """
            { "eos_token": "<|eot_id|>", "added_tokens_decoder": {
                "128004": { "content": "<|finetune_right_pad_id|>", "special": true, "normalized": false },
                "128005": { "content": "<|reserved_special_token_2|>", "special": true, "normalized": false } } }
            """);
        var later = TokenizerFolder.Read(_folder);
        Assert.Equal((128_256, 128_009), (later.VocabularySize, later.PadId));
        Assert.Equal(["<|finetune_right_pad_id|>", "<|reserved_special_token_2|>"], new[] { 128_004, 128_005 }.Select(later.Piece));
        Write("tokenizer_config.json", """{ "eos_token": "<|eot_id|>", "add_prefix_space": true, "added_tokens_decoder": { "7": { "content": "<x>", "special": true } } }""");
        Assert.Contains("the added token '<x>' has the id 7 of a piece", Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder)).Message);
    }

    [SkippableFact]
    public void Threads_do_not_disturb_each_other()
    {
        var llama = Llama();
        var wrong = References.Of("llama3").SelectMany(row => Enumerable.Repeat(row, 20)).AsParallel().WithDegreeOfParallelism(4)
            .Count(row => !row.Ids.SequenceEqual(llama.Encode(row.Text)));
        Assert.Equal(0, wrong);
    }

    /// <summary>The words of the pattern, against the pattern itself as .NET reads it: the two agree up to U+FFFF, where .NET sees characters.</summary>
    [Fact]
    public void Words_are_those_of_the_pattern()
    {
        var pattern = new Regex(Llama3Words.Pattern, RegexOptions.CultureInvariant);
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var text = Text(random, astral: false);
            var expected = pattern.Matches(text).Select(match => match.Value);
            Assert.Equal(expected, Words(text));
        }
    }

    [Theory]
    [InlineData("x𝐇𝐞y 𝒜", "x𝐇𝐞y| 𝒜")]
    [InlineData("𝟏𝟐𝟑𝟒", "𝟏𝟐𝟑|𝟒")]
    [InlineData("日本𠀀𠀁語", "日本𠀀𠀁語")]
    [InlineData("it'ſ don'T we'LL 'tis", "it|'ſ| don|'T| we|'LL| '|tis")]
    [InlineData("😀😀 !\r\n\n  x\t\u2003 ", "😀😀| !\r\n\n| | x|\t\u2003 ")]
    public void A_letter_is_a_letter_beyond_the_first_plane(string text, string words) => Assert.Equal(words, string.Join('|', Words(text)));

    [Theory]
    [InlineData("pre_tokenizer", """{ "type": "ByteLevel", "add_prefix_space": false, "use_regex": true }""", "splits words by GPT-2's pattern (GPT-2, RoBERTa)")]
    [InlineData(
        "pre_tokenizer",
        """
        { "type": "Sequence", "pretokenizers": [
          { "type": "Split", "pattern": { "Regex": "\\p{N}" }, "behavior": "Isolated" },
          { "type": "ByteLevel", "add_prefix_space": false, "use_regex": false } ] }
        """,
        "splits words by {\"Regex\":\"\\\\p{N}\"}, and Llama 3's pattern is known")]
    [InlineData("pre_tokenizer", """{ "type": "Whitespace" }""", "its pre_tokenizer is Whitespace, and only none, Metaspace (Llama 2), or Llama 3's pattern")]
    [InlineData("normalizer", """{ "type": "NFC" }""", "its normalizer is NFC")]
    [InlineData(
        "normalizer",
        """{ "type": "Sequence", "normalizers": [ { "type": "Prepend", "prepend": "▁" }, { "type": "Replace", "pattern": { "String": " " }, "content": "▁" } ] }""",
        "do not go together")]
    [InlineData(
        "post_processor", """{ "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0] }""",
        "its post_processor is more than a token before the text and one behind it")]
    [InlineData("model.dropout", "0.1", "model.dropout is 0.1, which is not offered here")]
    [InlineData("model.byte_fallback", "true", "model.byte_fallback is true, which is not offered here")]
    [InlineData("model.new_key", "1", "model.new_key is 1, which is not offered here")]
    [InlineData("model.merges", """["a q"]""", "the merge \"a q\" is not of two pieces that make a third")]
    [InlineData("model.vocab", """{ "a": 0 }""", "has no piece for the byte 0x00")]
    [InlineData(
        "added_tokens",
        """[ { "id": 257, "content": "<|end_of_text|>", "special": true }, { "id": 300, "content": "<x>", "special": false } ]""",
        "the added token '<x>' (300) is not special")]
    public void A_part_of_tokenizer_json_that_is_not_offered_is_refused_by_its_name(string key, string value, string expected)
    {
        var json = Bytes();
        var at = key.StartsWith("model.", StringComparison.Ordinal) ? json["model"]! : json;
        at[key.Replace("model.", "", StringComparison.Ordinal)] = JsonNode.Parse(value);
        Write("tokenizer.json", json.ToJsonString());
        Write("tokenizer_config.json", """{ "eos_token": "<|end_of_text|>" }""");
        var message = Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        Assert.Contains(expected, message);
        Assert.StartsWith("mine", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_contradict_each_other_or_lack_a_padding_token_are_refused()
    {
        Write("tokenizer.json", Bytes().ToJsonString());
        Assert.Contains("neither a pad_token nor an eos_token", Refused());
        Write("tokenizer_config.json", """{ "eos_token": "<|end_of_text|>", "add_bos_token": false }""");
        Assert.Contains("says that add_bos_token is false, and tokenizer.json that it is true", Refused());
        Write("tokenizer_config.json", """{ "eos_token": "<|nowhere|>" }""");
        Assert.Contains("'<|nowhere|>' is neither in the vocabulary nor among the added tokens", Refused());
        Write("tokenizer_config.json", """{ "eos_token": "<|end_of_text|>" }""");
        Assert.Equal([256, 97, 32], TokenizerFolder.Read(_folder).Encode("a").Append(32));
        var json = Bytes();
        json["post_processor"]!["processors"]![1]!["special_tokens"]!["<|begin_of_text|>"]!["ids"] = new JsonArray(7);
        Write("tokenizer.json", json.ToJsonString());
        Assert.Contains("its post_processor gives <|begin_of_text|> the id 7, and the vocabulary 256", Refused());

        string Refused() => Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
    }

    [Theory]
    [InlineData("IQ== 0\nIg== 2\n", "mine/tokenizer.model(2): the rank 2 stands where 1 must")]
    [InlineData("IQ== 0\nIQ== 1\n", "mine/tokenizer.model(2): the piece IQ== stands there before")]
    [InlineData("IQ== 0\nnonsense\n", "mine/tokenizer.model(2): 'nonsense' is not a piece in base64 and its rank")]
    [InlineData("IQ== 0\nIg== 1\n", "a tiktoken file of 2 pieces, and only Llama 3's 128000 are known")]
    public void A_tiktoken_file_that_is_malformed_or_of_another_model_is_refused(string content, string expected)
    {
        Write("tokenizer.model", content);
        Assert.Contains(expected, Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message);
    }

    [Theory]
    [InlineData("vocab.json", "GPT-2, RoBERTa")]
    [InlineData("spiece.model", "T5, ALBERT")]
    public void Files_of_other_tokenizers_are_refused_by_their_names(string file, string expected)
    {
        Write(file, "");
        var message = Assert.Throws<ModelException>(() => TokenizerFolder.Read(_folder, "mine")).Message;
        Assert.Contains("mine has no vocab.txt", message);
        Assert.Contains(expected, message);
    }

    private static IEnumerable<string> Words(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var length = Llama3Words.First(text.AsSpan(start));
            yield return text.Substring(start, length);
            start += length;
        }
    }

    // Every kind of character that the pattern tells apart, and their neighbours.
    private static string Text(Random random, bool astral = true)
    {
        string[] parts = [
            "a", "B", "é", "語", "'s", "'RE", "'", "1", "23", "٣", "Ⅷ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "!", "...", "<b>",
            "_", "\u0301", "—", "€", "\u0085", "\u200b"];
        if (astral) parts = [.. parts, "😀", "𝐇", "𝟏", "\ud800", "\udc00", "Hello", " world", "2014-09-25"];
        return string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => parts[random.Next(parts.Length)]));
    }

    // 256 pieces, one a byte, in an order of their own, and two special tokens.
    private static JsonObject Bytes()
    {
        var json = HubForms.Tiktoken([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value })], ignoreMerges: true);
        json["added_tokens"] = new JsonArray([.. json["added_tokens"]!.AsArray().Take(2).Select(token => token!.DeepClone())]);
        return json;
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text, new UTF8Encoding(false));
}
