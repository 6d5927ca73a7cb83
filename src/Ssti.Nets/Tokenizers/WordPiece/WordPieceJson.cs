using System.Text.Json.Nodes;

namespace Ssti.Nets.Tokenizers;

/// <summary>The tokenizer.json of a WordPiece tokenizer.</summary>
internal sealed class WordPieceJson(TokenizerDraft draft) : TokenizerJson(draft)
{
    /// <summary>The pieces by their ids.</summary>
    public IReadOnlyList<string?> Vocabulary { get; private set; } = [];

    /// <inheritdoc/>
    protected override void Model(JsonNode? model)
    {
        Vocabulary = Pieces(model!["vocab"]);
        foreach (var (key, value) in model.AsObject())
        {
            if (key is "type" or "vocab" || value is null) continue;
            if (key == "unk_token") Draft.Set(key, Draft.String(value, key, Name), Name);
            else if (key == "continuing_subword_prefix") Draft.Set(key, Draft.String(value, key, Name), Name);
            else if (key != "max_input_chars_per_word") throw Draft.Fault(Name, $"model.{key} is a setting not known here");
            else if (value is JsonValue number && number.TryGetValue(out int most) && most is >= 0 and <= TokenizerSettings.MostCharactersPerWord) Draft.Set(key, most, Name);
            else throw Draft.Fault(Name, $"max_input_chars_per_word is {JsonFile.Text(value)}, and at most {TokenizerSettings.MostCharactersPerWord} is offered here");
        }
    }

    /// <inheritdoc/>
    protected override void Normalizer(JsonNode? node)
    {
        var normalizer = Single(node, "normalizers");
        if (normalizer is not null && (string?)normalizer["type"] != "BertNormalizer") throw Other("normalizer", normalizer, "BertNormalizer");
        // Without one a text stays as it is.
        bool Flag(string key) => normalizer?[key] is { } value && Draft.Bool(value, key, Name);
        foreach (var key in new[] { "lowercase", "clean_text", "handle_chinese_chars" }) Draft.Set(key, Flag(key), Name);
        if (normalizer is null || normalizer["strip_accents"] is not null) Draft.Set("strip_accents", Flag("strip_accents"), Name);
    }

    /// <inheritdoc/>
    protected override void PreTokenizer(JsonNode? node)
    {
        node = Single(node, "pretokenizers");
        if ((string?)node?["type"] != "BertPreTokenizer") throw Other("pre_tokenizer", node, "BertPreTokenizer");
    }

    /// <inheritdoc/>
    protected override void PostProcessor(JsonNode? node)
    {
        switch ((string?)node?["type"])
        {
            case null:
                // BERT's classes set [CLS] and [SEP] themselves.
                break;
            case "BertProcessing":
                Draft.Set("cls_token", (string)node!["cls"]![0]!, Name);
                Draft.Set("sep_token", (string)node["sep"]![0]!, Name);
                Draft.Expect("cls_token", node["cls"]![1], "its post_processor", Name);
                Draft.Expect("sep_token", node["sep"]![1], "its post_processor", Name);
                break;
            case "TemplateProcessing" when Template(node, "cls_token", "sep_token") is ([var first], [var last]):
                Draft.Set("cls_token", first, Name);
                Draft.Set("sep_token", last, Name);
                break;
            default:
                throw Draft.Fault(Name, $"its post_processor ({node!["type"]}) does not make of a text [CLS], the text and [SEP]; only that is known");
        }
    }
}
