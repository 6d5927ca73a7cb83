using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>A WordPiece tokenizer out of vocab.txt or tokenizer.json and the files beside them.</summary>
internal static class WordPieceFolder
{
    private const string Config = TokenizerConfigFile.Config;

    private static readonly ConfigFamily Family = new(
        "BERT's WordPiece is known (BertTokenizer, BertTokenizerFast)",
        // All of these make the ids that BertTokenizer makes.
        ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast", "MobileBertTokenizer",
            "MobileBertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"],
        Setting);

    /// <summary>Reads it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="json">Its tokenizer.json; null without one.</param>
    /// <param name="draft">What is put together.</param>
    /// <param name="title">What messages call the folder.</param>
    public static WordPieceTokenizer Read(string folder, JsonObject? json, TokenizerDraft draft, string title)
    {
        WordPieceJson? whole = null;
        if (json is not null)
        {
            if (TokenizerJson.TypeOf(json) is not "WordPiece" and var type)
                throw draft.Fault(TokenizerFolder.Json, $"its model is '{type}', and {TokenizerFolder.Vocabulary} beside it is WordPiece's; leave the wrong one out");
            whole = new WordPieceJson(draft);
            whole.Read(json);
        }

        TokenizerConfigFile.Read(folder, draft, Family);
        var path = Path.Combine(folder, TokenizerFolder.Vocabulary);
        var lines = File.Exists(path) ? WordPieceTokenizer.ReadVocabulary(path, $"{title}/{TokenizerFolder.Vocabulary}") : null;
        var pieces = lines ?? whole!.Vocabulary;
        var ids = Ids(pieces);
        if (lines is not null && whole is not null) RequireEqual(ids, Ids(whole.Vocabulary), title);
        var tokenizer = WordPieceTokenizer.Of(
            pieces, Settings(draft), draft.Added(ids), $"{title}/{(lines is null ? TokenizerFolder.Json : TokenizerFolder.Vocabulary)}");
        draft.RequireIds(key => key switch { "cls_token" => tokenizer.Before[0], "sep_token" => tokenizer.Behind[0], _ => tokenizer.PadId }, tokenizer.Piece);
        return tokenizer;
    }

    private static bool Setting(string key, JsonNode value, TokenizerDraft draft)
    {
        switch (key)
        {
            case "do_lower_case":
                draft.Set("lowercase", draft.Bool(value, key, Config), Config);
                return true;
            case "tokenize_chinese_chars":
                draft.Set("handle_chinese_chars", draft.Bool(value, key, Config), Config);
                return true;
            case "strip_accents" or "clean_text":
                draft.Set(key, draft.Bool(value, key, Config), Config);
                return true;
            case "wordpieces_prefix":
                draft.Set("continuing_subword_prefix", draft.String(value, key, Config), Config);
                return true;
            default:
                return false;
        }
    }

    private static TokenizerSettings Settings(TokenizerDraft draft)
    {
        var plain = new TokenizerSettings();
        return plain with
        {
            Lowercase = draft.Of("lowercase", plain.Lowercase),
            StripAccents = draft.Of("strip_accents", plain.StripAccents),
            CleanText = draft.Of("clean_text", plain.CleanText),
            SplitChinese = draft.Of("handle_chinese_chars", plain.SplitChinese),
            ContinuingPrefix = draft.Of("continuing_subword_prefix", plain.ContinuingPrefix),
            LongestWord = draft.Of("max_input_chars_per_word", plain.LongestWord),
            Pad = draft.Of("pad_token", plain.Pad),
            Unknown = draft.Of("unk_token", plain.Unknown),
            Classify = draft.Of("cls_token", plain.Classify),
            Separator = draft.Of("sep_token", plain.Separator),
            Mask = draft.Of("mask_token", plain.Mask),
        };
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
        throw new ModelException(
            $"{title}: {TokenizerFolder.Vocabulary} {Of(lines)}, and {TokenizerFolder.Json} {Of(others)}; they are of two tokenizers: leave the wrong one out");
    }
}
