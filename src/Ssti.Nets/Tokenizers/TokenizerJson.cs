using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>tokenizer.json: every part of it goes into the draft, changes no id, or is refused by name.</summary>
internal abstract class TokenizerJson(TokenizerDraft draft)
{
    /// <summary>The file.</summary>
    protected const string Name = TokenizerFolder.Json;

    /// <summary>What the files say, put together.</summary>
    protected TokenizerDraft Draft { get; } = draft;

    /// <summary>Reads the file's contents.</summary>
    public void Read(JsonObject json)
    {
        foreach (var (key, value) in json)
        {
            // Texts are never made of ids here, so that a decoder says nothing.
            if (key is "version" or "decoder" or "model") continue;
            if (key == "normalizer") Normalizer(value);
            else if (key == "pre_tokenizer") PreTokenizer(value);
            else if (key == "post_processor") PostProcessor(Single(value, "processors"));
            else if (key == "added_tokens") AddedTokens(value);
            else if (value is not JsonObject) Require(value is null, key, value);
            else Side(key, value);
        }

        if (!json.ContainsKey("pre_tokenizer")) PreTokenizer(null);
        if (!json.ContainsKey("normalizer")) Normalizer(null);
        Model(json["model"]);
    }

    /// <summary>The type of a file's model; older files have none, and their keys tell.</summary>
    public static string TypeOf(JsonObject json)
    {
        var model = json["model"];
        return (string?)model?["type"] ?? (model?["merges"] is not null ? "BPE" : model?["continuing_subword_prefix"] is not null ? "WordPiece" : "none");
    }

    /// <summary>The pieces and how they are found.</summary>
    protected abstract void Model(JsonNode? model);

    /// <summary>What is done to a text first.</summary>
    protected abstract void Normalizer(JsonNode? node);

    /// <summary>How it is split into words.</summary>
    protected abstract void PreTokenizer(JsonNode? node);

    /// <summary>What stands before and behind it.</summary>
    protected abstract void PostProcessor(JsonNode? node);

    /// <summary>The pieces of a vocabulary by their ids; null for an id without a piece.</summary>
    protected IReadOnlyList<string?> Pieces(JsonNode? node)
    {
        if (node is not JsonObject { Count: > 0 } vocabulary) throw Draft.Fault(Name, "its model has no vocab");
        var pieces = new SortedDictionary<int, string>();
        foreach (var (piece, value) in vocabulary)
        {
            if (value is not JsonValue number || !number.TryGetValue(out int id) || id is < 0 or > TokenizerDraft.HighestId)
                throw Draft.Fault(Name, $"'{piece}' has no sound id in the vocabulary");
            if (!pieces.TryAdd(id, piece)) throw Draft.Fault(Name, $"'{piece}' and '{pieces[id]}' have one id, {id}");
        }

        return [.. Enumerable.Range(0, pieces.Keys.Last() + 1).Select(id => pieces.GetValueOrDefault(id))];
    }

    /// <summary>The special tokens before and behind the text in a TemplateProcessing, where a row of one text is made of these alone; notes their ids.</summary>
    /// <param name="node">The post_processor.</param>
    /// <param name="first">The setting of the tokens before the text, such as cls_token.</param>
    /// <param name="last">The setting of the tokens behind it.</param>
    protected (string[] Before, string[] Behind)? Template(JsonNode? node, string first, string last)
    {
        if (node?["single"] is not JsonArray parts || parts.Any(part => (part?["SpecialToken"] ?? part?["Sequence"])?["type_id"] is { } type && (int)type != 0)) return null;
        var text = parts.ToList().FindIndex(part => part?["Sequence"] is not null);
        string[] names = [.. parts.Where((_, i) => i != text).Select(part => (string?)part?["SpecialToken"]?["id"] ?? "")];
        if (text < 0 || names.Contains("")) return null;
        foreach (var (i, token) in names.Index())
        {
            if (node["special_tokens"]?[token]?["ids"] is not JsonArray ids) continue;
            Draft.Expect(i < text ? first : last, ids.Count == 1 ? ids[0] : ids, "its post_processor", Name);
        }

        return (names[..text], names[text..]);
    }

    /// <summary>Refuses a part that is not known.</summary>
    protected void Require(bool known, string key, JsonNode? value)
    {
        if (!known) throw Draft.Fault(Name, $"{key} is {value?.ToJsonString() ?? "not there"}, which is not known here");
    }

    /// <summary>Of a sequence of one, that one.</summary>
    protected static JsonNode? Single(JsonNode? node, string list) =>
        (string?)node?["type"] == "Sequence" && node![list] is JsonArray { Count: 1 } only ? only[0] : node;

    /// <summary>A part of a type that is not known.</summary>
    protected ModelException Other(string key, JsonNode? node, string known)
    {
        var type = node?["type"]?.ToString() ?? "none";
        var list = (node?["normalizers"] ?? node?["pretokenizers"] ?? node?["processors"])?.AsArray().Select(part => part?["type"]?.ToString());
        var parts = list is null ? "" : $" of {string.Join(", ", list)}";
        return Draft.Fault(Name, $"its {key} is {type}{parts}, and only {known} is known");
    }

    private void AddedTokens(JsonNode? tokens)
    {
        foreach (var token in tokens as JsonArray ?? [])
        {
            if (token is not JsonObject described || described["id"] is not JsonValue id || !id.TryGetValue(out int number))
                throw Draft.Fault(Name, $"the added token {JsonFile.Text(token)} has no id");
            Draft.Add(Draft.Read(token, number, Name), Name);
        }
    }

    // Lengths are max-length's here; sides and the padding token are the model's.
    private void Side(string key, JsonNode value)
    {
        Require(key is "truncation" or "padding", key, value);
        if (value["direction"] is { } direction && direction.ToString() != "Right") throw Draft.Fault(Name, $"{key} has the direction '{direction}', and only Right is known");
        if (value["pad_token"] is { } pad) Draft.Set("pad_token", Draft.String(pad, "pad_token", Name), Name);
        Draft.Expect("pad_token", value["pad_id"], $"its {key}", Name);
    }
}
