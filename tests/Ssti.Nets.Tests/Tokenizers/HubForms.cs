using System.Text.Json.Nodes;
using Ssti.Nets.Tokenizers;

namespace Ssti.Nets.Tests.Tokenizers;

/// <summary>Tokenizers as the tokenizer.json that Hugging Face's converters make of their files (convert_slow_tokenizer.py), pairs of one piece by their parts' ids.</summary>
internal static class HubForms
{
    /// <summary>Llama 3's file: byte-level BPE behind its pattern.</summary>
    public static JsonObject Tiktoken(IReadOnlyList<byte[]> pieces, bool ignoreMerges)
    {
        string[] letters = [.. pieces.Select(ByteAlphabet.Of)];
        return new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. TiktokenFile.Llama3Special.Select((name, i) => TokenizerForms.Special(name, pieces.Count + i))]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Llama3Words.Pattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
            },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["processors"] = new JsonArray(
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = false, ["use_regex"] = true },
                    TokenizerForms.Template("<|begin_of_text|>", pieces.Count)),
            },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null, ["fuse_unk"] = false,
                ["byte_fallback"] = false, ["ignore_merges"] = ignoreMerges, ["vocab"] = TokenizerForms.Vocabulary(letters),
                ["merges"] = Merges(letters, Enumerable.Range(0, letters.Length)),
            },
        };
    }

    /// <summary>Llama 2's model: a blank in front, ▁ for blanks, bytes for what has no piece.</summary>
    public static JsonObject SentencePiece(SentencePieceModel model)
    {
        string[] pieces = [.. model.Pieces.Select(piece => piece.Text)];
        var normal = Enumerable.Range(0, pieces.Length).Where(id => model.Pieces[id].Kind == SentencePieceKind.Normal).OrderByDescending(id => model.Pieces[id].Score);
        return TokenizerForms.Llama2(pieces, Merges(pieces, normal));
    }

    private static JsonArray Merges(string[] pieces, IEnumerable<int> order)
    {
        var ids = pieces.Select((piece, id) => (piece, id)).ToDictionary(pair => pair.piece, pair => pair.id, StringComparer.Ordinal);
        var merges = new JsonArray();
        foreach (var piece in order.Select(id => pieces[id]))
        {
            var splits = Enumerable.Range(1, piece.Length - 1).Select(at => (Left: piece[..at], Right: piece[at..]))
                .Where(pair => ids.ContainsKey(pair.Left) && ids.ContainsKey(pair.Right));
            foreach (var (left, right) in splits.OrderBy(pair => (ids[pair.Left], ids[pair.Right]))) merges.Add($"{left} {right}");
        }

        return merges;
    }
}
