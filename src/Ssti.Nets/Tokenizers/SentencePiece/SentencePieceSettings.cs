namespace Ssti.Nets.Tokenizers;

/// <summary>How a SentencePiece tokenizer treats a text, in the words of Hugging Face's LlamaTokenizer, whose defaults these are.</summary>
public sealed record SentencePieceSettings
{
    /// <summary>add_bos_token: a token before every text.</summary>
    public bool AddBegin { get; init; } = true;

    /// <summary>add_eos_token: a token behind every text.</summary>
    public bool AddEnd { get; init; }

    /// <summary>Whether a text that begins with a blank gets no other one in front (tokenizer.json's Metaspace); sentencepiece adds it always.</summary>
    public bool FrontUnlessThere { get; init; }

    /// <summary>bos_token.</summary>
    public string Begin { get; init; } = "<s>";

    /// <summary>eos_token.</summary>
    public string End { get; init; } = "</s>";

    /// <summary>unk_token.</summary>
    public string Unknown { get; init; } = "<unk>";

    /// <summary>pad_token; null for none.</summary>
    public string? Pad { get; init; }

    /// <summary>mask_token; null for none.</summary>
    public string? Mask { get; init; }
}
