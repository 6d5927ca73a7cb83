using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>The tokenizer of a model folder as Hugging Face lays it out.</summary>
public static class TokenizerFolder
{
    /// <summary>The vocabulary, a piece a line.</summary>
    public const string Vocabulary = "vocab.txt";

    /// <summary>The whole tokenizer in one file.</summary>
    public const string Json = "tokenizer.json";

    /// <summary>Every file that is looked at, where it is.</summary>
    public static IReadOnlyList<string> Files { get; } = [Vocabulary, Json, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    /// <summary>What a folder needs to have, for messages.</summary>
    public static string Wanted => $"{Vocabulary} or {Json}, of a WordPiece tokenizer (BERT)";

    /// <summary>Whether there is a tokenizer among some files.</summary>
    public static bool IsAmong(Predicate<string> has) => has(Vocabulary) || has(Json);

    /// <summary>
    /// Reads a WordPiece tokenizer out of vocab.txt or tokenizer.json and the files beside them. Every setting is followed, is one that changes no id, or is
    /// refused by name; files that contradict each other are refused.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">There is no such tokenizer, or it asks for what is not offered here.</exception>
    public static Tokenizer Read(string folder, string? title = null)
    {
        title ??= folder;
        var draft = new TokenizerDraft(title);
        try
        {
            TokenizerJsonFile.Read(folder, draft);
            TokenizerConfigFile.Read(folder, draft);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException or InvalidCastException)
        {
            throw new ModelException($"{title}: the tokenizer's files cannot be read: {e.Message}", e);
        }

        var path = Path.Combine(folder, Vocabulary);
        try
        {
            var lines = File.Exists(path) ? WordPieceTokenizer.ReadVocabulary(path, $"{title}/{Vocabulary}") : null;
            var tokenizer = Of(lines, draft, title);
            draft.RequireIds(tokenizer);
            return tokenizer;
        }
        catch (InvalidDataException e)
        {
            throw new ModelException(e.Message, e);
        }
    }

    /// <summary>
    /// The longest input, in tokens, that a model was made for, as <c>model_max_length</c> of tokenizer_config.json says; null where it says nothing (also by a
    /// number beyond all lengths, as transformers writes then).
    /// </summary>
    public static long? MaxLength(string folder)
    {
        var path = Path.Combine(folder, "tokenizer_config.json");
        return File.Exists(path) && JsonFile.Object(path)["model_max_length"] is JsonValue value && value.TryGetValue(out double length) && length is >= 1 and < 1e9
            ? (long)length : null;
    }

    private static WordPieceTokenizer Of(IReadOnlyList<string?>? lines, TokenizerDraft draft, string title)
    {
        var pieces = lines ?? draft.Pieces ?? throw new ModelException($"{title} has no {Wanted}");
        var ids = Ids(pieces);
        if (lines is not null && draft.Pieces is { } others) RequireEqual(ids, Ids(others), title);
        return WordPieceTokenizer.Of(pieces, draft.Settings(), draft.Added(ids), $"{title}/{(lines is null ? Json : Vocabulary)}");
    }

    private static Dictionary<string, int> Ids(IReadOnlyList<string?> pieces)
    {
        var ids = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id] is { } piece) ids[piece] = id;
        }

        return ids;
    }

    private static void RequireEqual(Dictionary<string, int> lines, Dictionary<string, int> others, string title)
    {
        var differs = lines.Keys.Union(others.Keys).FirstOrDefault(piece => !lines.TryGetValue(piece, out var a) || !others.TryGetValue(piece, out var b) || a != b);
        if (differs is null) return;
        string Of(Dictionary<string, int> ids) => ids.TryGetValue(differs, out var id) ? $"has '{differs}' as {id}" : $"has no '{differs}'";
        throw new ModelException($"{title}: {Vocabulary} {Of(lines)}, and {Json} {Of(others)}; they are of two tokenizers: leave the wrong one out");
    }
}
