using System.Text.Json.Nodes;

namespace Ssti.Nets.Tokenizers;

/// <summary>The tokenizer.json of a Llama: byte-pair encoding of a text's bytes (Llama 3), or of its characters with ▁ for a blank (Llama 2).</summary>
internal sealed class BpeJson(TokenizerDraft draft) : TokenizerJson(draft)
{
    private const string Blank = "\u2581";
    private string? _normalizer, _preTokenizer;

    /// <summary>The pieces by their ids.</summary>
    public IReadOnlyList<string?> Vocabulary { get; private set; } = [];

    /// <summary>Which pairs of pieces make another.</summary>
    public IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> Merges { get; private set; } = new Dictionary<(int, int), (int, int)>();

    /// <summary>Whether a word that is a piece is taken whole, whatever the merges make of it.</summary>
    public bool IgnoreMerges { get; private set; }

    /// <summary>Whether pieces are of bytes; else of characters.</summary>
    public bool OfBytes { get; private set; }

    /// <summary>Whether a text that begins with a blank gets no other one in front.</summary>
    public bool FrontUnlessThere { get; private set; }

    /// <inheritdoc/>
    protected override void Model(JsonNode? model)
    {
        Split();
        foreach (var (key, value) in model!.AsObject())
        {
            var plain = key switch
            {
                "type" or "vocab" or "merges" or "fuse_unk" => true,
                "dropout" => value is null,
                "continuing_subword_prefix" or "end_of_word_suffix" => value is null || JsonFile.Text(value) == "\"\"",
                "byte_fallback" => value is not null && Draft.Bool(value, key, Name) == !OfBytes,
                "unk_token" or "ignore_merges" => true,
                _ => false,
            };
            if (!plain) throw Draft.Fault(Name, $"model.{key} is {JsonFile.Text(value)}, which is not offered here");
        }

        if (!OfBytes && model["byte_fallback"] is null) throw Draft.Fault(Name, "model.byte_fallback is not there; a model without pieces for bytes is not offered here");
        IgnoreMerges = model["ignore_merges"] is { } ignore && Draft.Bool(ignore, "ignore_merges", Name);
        if (model["unk_token"] is { } unknown) Draft.Set("unk_token", Draft.String(unknown, "unk_token", Name), Name);
        Vocabulary = Pieces(model["vocab"]);
        Merges = Pairs(model["merges"] as JsonArray ?? throw Draft.Fault(Name, "its model has no merges"));
    }

    /// <inheritdoc/>
    protected override void Normalizer(JsonNode? node)
    {
        node = Single(node, "normalizers");
        var parts = (string?)node?["type"] == "Sequence" ? node!["normalizers"]!.AsArray() : null;
        if (node is null) _normalizer = "none";
        else if (parts is [{ } front, { } replace] && (string?)front["type"] == "Prepend" && (string?)front["prepend"] == Blank && (string?)replace["type"] == "Replace"
            && (string?)replace["pattern"]?["String"] == " " && (string?)replace["content"] == Blank) _normalizer = "blanks";
        else throw Other("normalizer", node, $"none, or a blank in front and {Blank} for blanks,");
    }

    /// <inheritdoc/>
    protected override void PreTokenizer(JsonNode? node)
    {
        node = Single(node, "pretokenizers");
        var parts = (string?)node?["type"] == "Sequence" ? node!["pretokenizers"]!.AsArray() : null;
        if (node is null) _preTokenizer = "none";
        else if ((string?)node["type"] == "Metaspace") Metaspace(node);
        else if (parts is [{ } split, { } bytes] && (string?)split["type"] == "Split" && (string?)bytes["type"] == "ByteLevel") ByteLevel(split, bytes);
        else if ((string?)node["type"] == "ByteLevel") throw Draft.Fault(Name, "its pre_tokenizer splits words by GPT-2's pattern (GPT-2, RoBERTa), and Llama 3's is known");
        else throw Other("pre_tokenizer", node, "none, Metaspace (Llama 2), or Llama 3's pattern with ByteLevel");
    }

    /// <inheritdoc/>
    protected override void PostProcessor(JsonNode? node)
    {
        // ByteLevel is about offsets.
        var parts = (string?)node?["type"] == "Sequence" ? node!["processors"]!.AsArray().ToArray() : [node];
        parts = [.. parts.Where(part => part is not null && (string?)part["type"] != "ByteLevel")];
        if (parts.Length == 0) return;
        if (parts is not [{ } template] || (string?)template["type"] != "TemplateProcessing" || Template(template, "bos_token", "eos_token") is not { } ends
            || ends.Before.Length > 1 || ends.Behind.Length > 1)
            throw Draft.Fault(Name, "its post_processor is more than a token before the text and one behind it; only that is known");
        Draft.Set("add_bos_token", ends.Before.Length == 1, Name);
        Draft.Set("add_eos_token", ends.Behind.Length == 1, Name);
        foreach (var name in ends.Before) Draft.Set("bos_token", name, Name);
        foreach (var name in ends.Behind) Draft.Set("eos_token", name, Name);
    }

    private void Metaspace(JsonNode node)
    {
        var scheme = (string?)node["prepend_scheme"] ?? ((bool?)node["add_prefix_space"] == false ? "never" : "always");
        if ((string?)node["replacement"] != Blank || scheme is not ("always" or "first") || (bool?)node["split"] != false)
            throw Draft.Fault(Name, $"its pre_tokenizer is {JsonFile.Text(node)}; of Metaspace only {Blank} in front of a text, and no split, is known");
        (_preTokenizer, FrontUnlessThere) = ("blanks", true);
    }

    private void ByteLevel(JsonNode split, JsonNode bytes)
    {
        if ((string?)split["pattern"]?["Regex"] != Llama3Words.Pattern)
            throw Draft.Fault(Name, $"its pre_tokenizer splits words by {JsonFile.Text(split["pattern"])}, and Llama 3's pattern is known: {Llama3Words.Pattern}");
        if ((string?)split["behavior"] != "Isolated" || (bool?)split["invert"] == true || (bool?)bytes["add_prefix_space"] != false || (bool?)bytes["use_regex"] != false)
        {
            throw Draft.Fault(Name, $"its pre_tokenizer is {JsonFile.Text(split)} and {JsonFile.Text(bytes)}, "
                + "and Llama 3's is known: Isolated, no blank in front, no other pattern");
        }

        _preTokenizer = "bytes";
    }

    private void Split()
    {
        OfBytes = _preTokenizer == "bytes";
        if ((_normalizer, _preTokenizer) is ("none", "bytes") or ("none", "blanks") or ("blanks", "none")) return;
        throw Draft.Fault(Name, "its normalizer and pre_tokenizer do not go together as in Llama 2 (▁ for blanks) or Llama 3 (a pattern, then bytes); only these are known");
    }

    private Dictionary<(int Left, int Right), (int Rank, int Id)> Pairs(JsonArray merges)
    {
        var ids = new Dictionary<string, int>(Vocabulary.Count, StringComparer.Ordinal);
        for (var id = 0; id < Vocabulary.Count; id++)
            if (Vocabulary[id] is { } piece) ids[piece] = id;
        var pairs = new Dictionary<(int, int), (int, int)>(merges.Count);
        foreach (var (rank, merge) in merges.Index())
        {
            string[] two = merge is JsonArray list ? [.. list.Select(part => (string)part!)] : ((string)merge!).Split(' ');
            if (two.Length != 2 || !ids.TryGetValue(two[0], out var left) || !ids.TryGetValue(two[1], out var right) || !ids.TryGetValue(two[0] + two[1], out var whole))
                throw Draft.Fault(Name, $"the merge {JsonFile.Text(merge)} is not of two pieces that make a third");
            if (!pairs.TryAdd((left, right), (rank, whole))) throw Draft.Fault(Name, $"the merge {JsonFile.Text(merge)} stands there twice");
        }

        return pairs;
    }
}
