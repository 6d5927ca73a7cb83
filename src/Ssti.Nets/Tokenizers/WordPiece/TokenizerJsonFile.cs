using System.Text.Json.Nodes;

namespace Ssti.Nets.Tokenizers;

/// <summary>tokenizer.json: every part of it goes into the draft, changes no id, or is refused by name.</summary>
internal static class TokenizerJsonFile
{
    private const string Name = "tokenizer.json";

    /// <summary>Reads the file, where it is.</summary>
    public static void Read(string folder, TokenizerDraft draft)
    {
        if (draft.Json(folder, Name) is not { } json) return;
        foreach (var (key, value) in json)
        {
            // Texts are never made of ids here, so that a decoder says nothing.
            if (key is "version" or "decoder" or "model") continue;
            if (key == "normalizer") Normalizer(value, draft);
            else if (key == "pre_tokenizer") PreTokenizer(value, draft);
            else if (key == "post_processor") PostProcessor(value, draft);
            else if (key == "added_tokens") AddedTokens(value, draft);
            else if (value is not JsonObject) Require(value is null, key, value, draft);
            else Side(key, value, draft);
        }

        Require(json["pre_tokenizer"] is not null, "pre_tokenizer", null, draft);
        if (!json.ContainsKey("normalizer")) Normalizer(null, draft);
        Model(json["model"], draft);
    }

    private static void Model(JsonNode? model, TokenizerDraft draft)
    {
        // Older files have no type: then the keys tell.
        var type = (string?)model?["type"] ?? (model?["continuing_subword_prefix"] is not null && model["merges"] is null ? "WordPiece" : "none");
        if (type != "WordPiece") throw draft.Fault(Name, $"its model is '{type}', and only WordPiece (BERT) is known");
        if (model!["vocab"] is not JsonObject { Count: > 0 } vocabulary) throw draft.Fault(Name, "its model has no vocab");
        foreach (var (key, value) in model.AsObject())
        {
            if (key is "type" or "vocab" || value is null) continue;
            if (key == "unk_token") draft.Set(key, draft.String(value, key, Name), Name);
            else if (key == "continuing_subword_prefix") draft.Set(key, draft.String(value, key, Name), Name);
            else if (key != "max_input_chars_per_word") throw draft.Fault(Name, $"model.{key} is a setting not known here");
            else if (value is JsonValue number && number.TryGetValue(out int most) && most is >= 0 and <= TokenizerSettings.MostCharactersPerWord) draft.Set(key, most, Name);
            else throw draft.Fault(Name, $"max_input_chars_per_word is {JsonFile.Text(value)}, and at most {TokenizerSettings.MostCharactersPerWord} is offered here");
        }

        var pieces = new SortedDictionary<int, string>();
        foreach (var (piece, node) in vocabulary)
        {
            if (node is not JsonValue value || !value.TryGetValue(out int id) || id is < 0 or > TokenizerDraft.HighestId)
                throw draft.Fault(Name, $"'{piece}' has no sound id in the vocabulary");
            if (!pieces.TryAdd(id, piece)) throw draft.Fault(Name, $"'{piece}' and '{pieces[id]}' have one id, {id}");
        }

        draft.Pieces = [.. Enumerable.Range(0, pieces.Keys.Last() + 1).Select(id => pieces.GetValueOrDefault(id))];
    }

    private static void Normalizer(JsonNode? normalizer, TokenizerDraft draft)
    {
        normalizer = Single(normalizer, "normalizers");
        if (normalizer is not null && (string?)normalizer["type"] != "BertNormalizer") throw Other("normalizer", normalizer, "BertNormalizer", draft);
        // Without one a text stays as it is.
        bool Flag(string key) => normalizer?[key] is { } value && draft.Bool(value, key, Name);
        foreach (var key in new[] { "lowercase", "clean_text", "handle_chinese_chars" }) draft.Set(key, Flag(key), Name);
        if (normalizer is null || normalizer["strip_accents"] is not null) draft.Set("strip_accents", Flag("strip_accents"), Name);
    }

    private static void PreTokenizer(JsonNode? node, TokenizerDraft draft)
    {
        node = Single(node, "pretokenizers");
        if ((string?)node?["type"] != "BertPreTokenizer") throw Other("pre_tokenizer", node, "BertPreTokenizer", draft);
    }

    private static void PostProcessor(JsonNode? node, TokenizerDraft draft)
    {
        node = Single(node, "processors");
        switch ((string?)node?["type"])
        {
            case null:
                // BERT's classes set [CLS] and [SEP] themselves.
                break;
            case "BertProcessing":
                draft.Set("cls_token", (string)node!["cls"]![0]!, Name);
                draft.Set("sep_token", (string)node["sep"]![0]!, Name);
                draft.Expect("cls_token", node["cls"]![1], "its post_processor", Name);
                draft.Expect("sep_token", node["sep"]![1], "its post_processor", Name);
                break;
            case "TemplateProcessing" when Ends(node!["single"]) is var (first, last):
                draft.Set("cls_token", first, Name);
                draft.Set("sep_token", last, Name);
                foreach (var (key, token) in new[] { ("cls_token", first), ("sep_token", last) })
                {
                    if (node["special_tokens"]?[token]?["ids"] is not JsonArray ids) continue;
                    draft.Expect(key, ids.Count == 1 ? ids[0] : ids, "its post_processor", Name);
                }

                break;
            default:
                throw draft.Fault(Name, $"its post_processor ({node!["type"]}) does not make of a text [CLS], the text and [SEP]; only that is known");
        }
    }

    // The special tokens before and behind the text, where a template has one of each.
    private static (string First, string Last)? Ends(JsonNode? template)
    {
        if (template is not JsonArray { Count: 3 } parts) return null;
        var (first, text, last) = (parts[0]!["SpecialToken"], parts[1]!["Sequence"], parts[2]!["SpecialToken"]);
        if (first is null || text is null || last is null) return null;
        return new[] { first, text, last }.All(part => part["type_id"] is not { } type || (int)type == 0) ? ((string)first["id"]!, (string)last["id"]!) : null;
    }

    private static void AddedTokens(JsonNode? tokens, TokenizerDraft draft)
    {
        foreach (var token in tokens as JsonArray ?? [])
        {
            if (token is not JsonObject described || described["id"] is not JsonValue id || !id.TryGetValue(out int number))
                throw draft.Fault(Name, $"the added token {JsonFile.Text(token)} has no id");
            draft.Add(draft.Read(token, number, Name), Name);
        }
    }

    // Lengths are max-length's here; sides and the padding token are the model's.
    private static void Side(string key, JsonNode value, TokenizerDraft draft)
    {
        Require(key is "truncation" or "padding", key, value, draft);
        if (value["direction"] is { } direction && direction.ToString() != "Right") throw draft.Fault(Name, $"{key} has the direction '{direction}', and only Right is known");
        if (value["pad_token"] is { } pad) draft.Set("pad_token", draft.String(pad, "pad_token", Name), Name);
        draft.Expect("pad_token", value["pad_id"], $"its {key}", Name);
    }

    private static void Require(bool known, string key, JsonNode? value, TokenizerDraft draft)
    {
        if (!known) throw draft.Fault(Name, $"{key} is {value?.ToJsonString() ?? "not there"}, which is not known here");
    }

    // A sequence of one is that one.
    private static JsonNode? Single(JsonNode? node, string list) =>
        (string?)node?["type"] == "Sequence" && node![list] is JsonArray { Count: 1 } only ? only[0] : node;

    private static Exception Other(string key, JsonNode? node, string known, TokenizerDraft draft)
    {
        var type = node?["type"]?.ToString() ?? "none";
        var list = (node?["normalizers"] ?? node?["pretokenizers"])?.AsArray().Select(part => part?["type"]?.ToString());
        var parts = list is null ? "" : $" of {string.Join(", ", list)}";
        return draft.Fault(Name, $"its {key} is {type}{parts}, and only {known} is known");
    }
}
