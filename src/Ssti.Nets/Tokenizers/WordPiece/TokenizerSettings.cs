namespace Ssti.Nets.Tokenizers;

/// <summary>How a WordPiece tokenizer treats a text, in the words of Hugging Face's BertNormalizer and WordPiece. The defaults are bert-base-uncased's.</summary>
public sealed record TokenizerSettings
{
    /// <summary>The most code points a word may have and be more than unknown.</summary>
    public const int MostCharactersPerWord = 100;

    /// <summary>lowercase, do_lower_case.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>strip_accents; null as <see cref="Lowercase"/> says.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>clean_text: control characters are removed.</summary>
    public bool CleanText { get; init; } = true;

    /// <summary>handle_chinese_chars, tokenize_chinese_chars: each is a word of its own.</summary>
    public bool SplitChinese { get; init; } = true;

    /// <summary>continuing_subword_prefix: stands before a piece that goes on a word.</summary>
    public string ContinuingPrefix { get; init; } = "##";

    /// <summary>max_input_chars_per_word: a word of more code points is unknown.</summary>
    public int LongestWord { get; init; } = MostCharactersPerWord;

    /// <summary>pad_token.</summary>
    public string Pad { get; init; } = "[PAD]";

    /// <summary>unk_token.</summary>
    public string Unknown { get; init; } = "[UNK]";

    /// <summary>cls_token.</summary>
    public string Classify { get; init; } = "[CLS]";

    /// <summary>sep_token.</summary>
    public string Separator { get; init; } = "[SEP]";

    /// <summary>mask_token.</summary>
    public string Mask { get; init; } = "[MASK]";
}
