using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>A Llama's tokenizer out of tokenizer.model or tokenizer.json and the files beside them.</summary>
internal static class BpeFolder
{
    private const string Config = TokenizerConfigFile.Config, Model = TokenizerFolder.Model;

    private static readonly ConfigFamily Family = new(
        "Llama's are known for such files (LlamaTokenizer, LlamaTokenizerFast, PreTrainedTokenizerFast)",
        ["LlamaTokenizer", "LlamaTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"],
        Setting);

    /// <summary>Reads it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="json">Its tokenizer.json; null without one.</param>
    /// <param name="draft">What is put together.</param>
    /// <param name="title">What messages call the folder.</param>
    public static Tokenizer Read(string folder, JsonObject? json, TokenizerDraft draft, string title)
    {
        TokenizerConfigFile.Read(folder, draft, Family);
        var path = Path.Combine(folder, Model);
        var model = File.Exists(path);
        // LlamaTokenizer sets a token in front, whatever tokenizer.json says; and so does what reads a tokenizer.model alone.
        if (json is null || draft.Of("tokenizer_class", "").StartsWith("Llama", StringComparison.Ordinal))
        {
            const string Usual = "LlamaTokenizer, where tokenizer_config.json is silent,";
            if (draft.Of<bool?>("add_bos_token", null) is null) draft.Set("add_bos_token", true, Usual);
            if (draft.Of<bool?>("add_eos_token", null) is null) draft.Set("add_eos_token", false, Usual);
        }

        var whole = json is null ? null : new BpeJson(draft);
        whole?.Read(json!);
        Tokenizer tokenizer = model && TiktokenFile.Is(path) ? Tiktoken(path, whole, draft, title)
            : model ? SentencePiece(path, whole, draft, title)
            : whole!.OfBytes ? Bytes(whole, draft, title) : Characters(whole, draft, title);
        draft.RequireIds(key => IdOf(tokenizer, draft.Of(key, "")), tokenizer.Piece);
        return tokenizer;
    }

    private static bool Setting(string key, JsonNode value, TokenizerDraft draft)
    {
        switch (key)
        {
            case "add_bos_token" or "add_eos_token" or "add_prefix_space":
                draft.Set(key, draft.Bool(value, key, Config), Config);
                return true;
            case "split_special_tokens":
                // Nothing in a text becomes a special token here, either way.
                draft.Bool(value, key, Config);
                return true;
            default:
                return false;
        }
    }

    private static SentencePieceTokenizer SentencePiece(string path, BpeJson? whole, TokenizerDraft draft, string title)
    {
        var source = $"{title}/{Model}";
        var model = SentencePieceModel.Read(path, source);
        if (whole is not null)
        {
            if (whole.OfBytes) throw new ModelException($"{source} is a SentencePiece model, and {TokenizerFolder.Json} beside it of bytes; leave the wrong one out");
            RequireEqual([.. model.Pieces.Select(piece => piece.Text)], whole.Vocabulary, title);
        }

        var added = Added(draft, Ids([.. model.Pieces.Select(piece => piece.Text)]), model.Pieces.Count, source);
        return SentencePieceTokenizer.Of(model, Blanks(draft, unlessThere: false), added, source);
    }

    private static SentencePieceTokenizer Characters(BpeJson whole, TokenizerDraft draft, string title)
    {
        var source = $"{title}/{TokenizerFolder.Json}";
        var added = Added(draft, Ids(whole.Vocabulary), whole.Vocabulary.Count, source);
        var special = draft.Added(Ids(whole.Vocabulary)).Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        var names = Enumerable.Range(0, 256).Select(SentencePieceModel.ByteName).ToHashSet(StringComparer.Ordinal);
        SentencePiece[] pieces =
        [
            .. whole.Vocabulary.Select(piece => new SentencePiece(piece ?? "", 0,
                piece is null || special.Contains(piece) ? SentencePieceKind.Control : names.Contains(piece) ? SentencePieceKind.Byte : SentencePieceKind.Normal)),
        ];
        if (pieces.Count(piece => piece.Kind == SentencePieceKind.Byte) < 256) throw new ModelException($"{source} has not all of the 256 pieces of bytes, <0x00> to <0xFF>");
        return SentencePieceTokenizer.Of(pieces, new ListedMerges(whole.Merges), Blanks(draft, whole.FrontUnlessThere), added, source);
    }

    private static SentencePieceSettings Blanks(TokenizerDraft draft, bool unlessThere)
    {
        if (!draft.Of("add_prefix_space", true)) throw draft.Fault(Config, "add_prefix_space is false, which is not offered here");
        var plain = new SentencePieceSettings();
        return new()
        {
            AddBegin = draft.Of("add_bos_token", false), AddEnd = draft.Of("add_eos_token", false), FrontUnlessThere = unlessThere,
            Begin = draft.Of("bos_token", plain.Begin), End = draft.Of("eos_token", plain.End), Unknown = draft.Of("unk_token", plain.Unknown),
            Pad = draft.Of<string?>("pad_token", null), Mask = draft.Of<string?>("mask_token", null),
        };
    }

    private static ByteLevelTokenizer Tiktoken(string path, BpeJson? whole, TokenizerDraft draft, string title)
    {
        var source = $"{title}/{Model}";
        var file = TiktokenFile.Read(path, source);
        if (whole is not null)
        {
            if (!whole.OfBytes) throw new ModelException($"{source} is a tiktoken file, and {TokenizerFolder.Json} beside it of characters; leave the wrong one out");
            RequireEqual([.. file.Pieces.Select(ByteAlphabet.Of)], whole.Vocabulary, title);
        }

        // Special tokens stand in no tiktoken file; those that other files do not list are Llama 3's. Llama 3.1 has other names for some, and lists them.
        var usual = TiktokenFile.Llama3Special.Select((name, i) => KeyValuePair.Create(name, file.Pieces.Count + i)).ToDictionary();
        var named = Added(draft, new Dictionary<string, int>(), file.Pieces.Count, source, usual).ToDictionary(token => token.Id);
        foreach (var (name, id) in usual)
            if (named.Values.All(token => token.Content != name)) named.TryAdd(id, new AddedToken(name, id, Special: true, Normalized: false));
        var ends = Ends(draft, "<|begin_of_text|>", "<|end_of_text|>");
        return new ByteLevelTokenizer(file.Pieces, new TiktokenWords(path), ends, [.. named.Values.OrderBy(token => token.Id)], source);
    }

    private static ByteLevelTokenizer Bytes(BpeJson whole, TokenizerDraft draft, string title)
    {
        var source = $"{title}/{TokenizerFolder.Json}";
        var ids = Ids(whole.Vocabulary);
        for (var value = 0; value < 256; value++)
            if (!ids.ContainsKey(ByteAlphabet.Of([(byte)value]))) throw new ModelException($"{source} has no piece for the byte 0x{value:X2}: every byte needs one");
        var added = draft.Added(ids).ToArray();
        var special = added.Select(token => token.Id).ToHashSet();
        RequireSpecial(added, source);
        if (draft.Of("add_prefix_space", false)) throw draft.Fault(Config, "add_prefix_space is true, which is not offered here");
        return new ByteLevelTokenizer(
            [.. whole.Vocabulary.Select((piece, id) => piece is null || special.Contains(id) ? [] : ByteAlphabet.Bytes(piece) ?? throw Foreign(piece))],
            new ListedWords(ids, special, whole.Merges, whole.IgnoreMerges), Ends(draft, null, null), added, source);

        ModelException Foreign(string piece) => new($"{source}: the piece '{piece}' is not written in the alphabet of bytes");
    }

    private static ByteLevelEnds Ends(TokenizerDraft draft, string? begin, string? end)
    {
        var (begins, ends) = (draft.Of("bos_token", begin), draft.Of("eos_token", end));
        if (draft.Of("add_bos_token", false) && begins is null) throw draft.Fault(Config, "add_bos_token is true, and there is no bos_token");
        if (draft.Of("add_eos_token", false) && ends is null) throw draft.Fault(Config, "add_eos_token is true, and there is no eos_token");
        var pad = draft.Of("pad_token", ends) ?? throw draft.Fault(Config, "there is neither a pad_token nor an eos_token, so that rows cannot be filled up; name one");
        return new(draft.Of("add_bos_token", false) ? begins : null, draft.Of("add_eos_token", false) ? ends : null, pad, draft.Of<string?>("mask_token", null));
    }

    // Tokens beyond the vocabulary's own. Those that are not special would be found in texts, which is not offered for these families.
    private static AddedToken[] Added(
        TokenizerDraft draft, IReadOnlyDictionary<string, int> ids, int pieces, string source, IReadOnlyDictionary<string, int>? usual = null)
    {
        var added = draft.Added(usual ?? ids).ToArray();
        foreach (var token in added)
        {
            if (ids.TryGetValue(token.Content, out var id) && id != token.Id)
                throw new ModelException($"{source}: '{token.Content}' has the id {id} in the vocabulary, and as an added token {token.Id}");
            if (!ids.ContainsKey(token.Content) && token.Id < pieces)
                throw new ModelException($"{source}: the added token '{token.Content}' has the id {token.Id} of a piece");
        }

        RequireSpecial(added, source);
        if (added.GroupBy(token => token.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ModelException($"{source}: the added tokens {string.Join(" and ", twice.Select(token => $"'{token.Content}'"))} have one id, {twice.Key}");
        return added;
    }

    private static void RequireSpecial(IEnumerable<AddedToken> added, string source)
    {
        if (added.FirstOrDefault(token => !token.Special) is not { } plain) return;
        throw new ModelException(
            $"{source}: the added token '{plain.Content}' ({plain.Id}) is not special, so that it is looked for in texts; that is not offered for Llama's tokenizers");
    }

    private static Dictionary<string, int> Ids(IReadOnlyList<string?> pieces)
    {
        var ids = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
            if (pieces[id] is { } piece) ids[piece] = id;
        return ids;
    }

    private static int IdOf(Tokenizer tokenizer, string name) => Enumerable.Range(0, tokenizer.VocabularySize).Where(id => tokenizer.Piece(id) == name).DefaultIfEmpty(-1).First();

    private static void RequireEqual(IReadOnlyList<string?> model, IReadOnlyList<string?> others, string title)
    {
        for (var id = 0; id < Math.Max(model.Count, others.Count); id++)
        {
            var (here, there) = (model.ElementAtOrDefault(id), others.ElementAtOrDefault(id));
            // Special tokens may stand in tokenizer.json's vocabulary or beside it.
            if (here == there || (id >= model.Count && there is not null) || there is null) continue;
            throw new ModelException(string.Create(CultureInfo.InvariantCulture,
                $"{title}: {Model} has '{here}' as {id}, and {TokenizerFolder.Json} '{there}'; they are of two tokenizers: leave the wrong one out"));
        }
    }
}
