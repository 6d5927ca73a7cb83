using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>The tokenizer of a model folder as Hugging Face lays it out.</summary>
public static class TokenizerFolder
{
    /// <summary>WordPiece's vocabulary, a piece a line.</summary>
    public const string Vocabulary = "vocab.txt";

    /// <summary>The whole tokenizer in one file.</summary>
    public const string Json = "tokenizer.json";

    /// <summary>A SentencePiece model (Llama 2), or a tiktoken file (Llama 3).</summary>
    public const string Model = "tokenizer.model";

    // Vocabularies of tokenizers that are not known, by the files that only they have.
    private static readonly (string File, string What)[] Others =
    [
        ("vocab.json", "vocab.json (a byte-level BPE tokenizer with GPT-2's pattern: GPT-2, RoBERTa)"),
        ("merges.txt", "merges.txt (a byte-level BPE tokenizer with GPT-2's pattern: GPT-2, RoBERTa)"),
        ("spiece.model", "spiece.model (a SentencePiece unigram tokenizer: T5, ALBERT, XLNet)"),
        ("sentencepiece.bpe.model", "sentencepiece.bpe.model (XLM-RoBERTa's tokenizer)"),
    ];

    /// <summary>Every file that is looked at, where it is.</summary>
    public static IReadOnlyList<string> Files { get; } = [Vocabulary, Json, Model, TokenizerConfigFile.Config, "special_tokens_map.json", "added_tokens.json"];

    /// <summary>What a folder needs to have, for messages.</summary>
    public static string Wanted => $"{Vocabulary} (WordPiece: BERT), {Model} (SentencePiece or tiktoken: Llama) or {Json} of one of these";

    /// <summary>Whether there is a tokenizer among some files.</summary>
    public static bool IsAmong(Predicate<string> has) => has(Vocabulary) || has(Json) || has(Model);

    /// <summary>What a message says of files that hold no known tokenizer.</summary>
    public static string Lacking(Predicate<string> has) =>
        Others.FirstOrDefault(other => has(other.File)).What is { } what ? $"no {Wanted}; its {what} is not known here" : $"no {Wanted}";

    /// <summary>
    /// Reads the tokenizer of a folder, of the family that its files are of. Every setting is followed, is one that changes no id, or is refused by name; files that
    /// contradict each other are refused.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">There is no such tokenizer, or it asks for what is not offered here.</exception>
    public static Tokenizer Read(string folder, string? title = null)
    {
        title ??= folder;
        var draft = new TokenizerDraft(title);
        bool Has(string file) => File.Exists(Path.Combine(folder, file));
        if (!IsAmong(Has)) throw new ModelException($"{title} has {Lacking(Has)}");
        if (Has(Vocabulary) && Has(Model)) throw new ModelException($"{title} has {Vocabulary} and {Model}, which are of two tokenizers; leave the wrong one out");
        try
        {
            var json = draft.Json(folder, Json);
            var type = json is null ? null : TokenizerJson.TypeOf(json);
            if (Has(Vocabulary) || (type == "WordPiece" && !Has(Model))) return WordPieceFolder.Read(folder, json, draft, title);
            if (type is null or "BPE") return BpeFolder.Read(folder, json, draft, title);
            throw draft.Fault(Json, $"its model is '{type}', and {(Has(Model) ? $"{Model} beside it is of BPE" : "only WordPiece (BERT) and BPE (Llama) are known")}");
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException or InvalidCastException)
        {
            throw new ModelException($"{title}: the tokenizer's files cannot be read: {e.Message}", e);
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
        var path = Path.Combine(folder, TokenizerConfigFile.Config);
        return File.Exists(path) && JsonFile.Object(path)["model_max_length"] is JsonValue value && value.TryGetValue(out double length) && length is >= 1 and < 1e9
            ? (long)length : null;
    }
}
