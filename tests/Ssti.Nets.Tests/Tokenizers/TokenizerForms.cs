using System.Text.Json.Nodes;

namespace Ssti.Nets.Tests.Tokenizers;

/// <summary>Parts of a tokenizer.json, as Hugging Face's converters write them.</summary>
internal static class TokenizerForms
{
    /// <summary>Llama 2's form: a blank in front, ▁ for blanks, bytes for what has no piece.</summary>
    /// <param name="pieces">The pieces by their ids; the first three are <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>.</param>
    /// <param name="merges">Two pieces that become one, with a blank between them, in order.</param>
    public static JsonObject Llama2(IReadOnlyList<string> pieces, JsonArray merges) => new()
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(Special("<unk>", 0), Special("<s>", 1), Special("</s>", 2)),
        ["normalizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["normalizers"] = new JsonArray(
                new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" },
                new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "▁" }),
        },
        ["pre_tokenizer"] = null,
        ["post_processor"] = Template("<s>", 1),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = "<unk>", ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
            ["fuse_unk"] = true, ["byte_fallback"] = true, ["vocab"] = Vocabulary(pieces), ["merges"] = merges,
        },
    };

    /// <summary>A special token.</summary>
    public static JsonObject Special(string name, int id) => new()
    {
        ["id"] = id, ["content"] = name, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
    };

    /// <summary>A token in front of every text.</summary>
    public static JsonObject Template(string first, int id) => new()
    {
        ["type"] = "TemplateProcessing",
        ["single"] = new JsonArray(
            new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = first, ["type_id"] = 0 } },
            new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A", ["type_id"] = 0 } }),
        ["special_tokens"] = new JsonObject
        {
            [first] = new JsonObject { ["id"] = first, ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(first) },
        },
    };

    /// <summary>Pieces with their ids.</summary>
    public static JsonObject Vocabulary(IEnumerable<string> pieces) => new(pieces.Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id)));
}
