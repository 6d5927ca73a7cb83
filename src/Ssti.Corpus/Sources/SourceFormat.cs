namespace Ssti.Corpus.Sources;

/// <summary>How the files of a source hold their rows.</summary>
public enum SourceFormat
{
    /// <summary>By the names of the files, and for CommonsenseQA by the first row.</summary>
    Auto,

    /// <summary>A JSON object a line, or one array of objects (<c>.jsonl</c>, <c>.ndjson</c>, <c>.json</c>).</summary>
    Jsonl,

    /// <summary>Fields parted by tabs; a quote is a character like any other, as in GLUE's files.</summary>
    Tsv,

    /// <summary>Fields parted by commas, quoted as in RFC 4180.</summary>
    Csv,

    /// <summary>A text a line, and a file for each label: the label is the extension (<c>rt-polarity.neg</c>), or the stem of a <c>.txt</c>.</summary>
    Lines,

    /// <summary>Financial PhraseBank: <c>sentence@label</c>, the last @ counts.</summary>
    Phrasebank,

    /// <summary>CommonsenseQA: <c>question (0) choice (1) choice …</c>, and the answer's letter as label.</summary>
    CommonsenseQa,

    /// <summary>Parquet, as the Hugging Face Hub serves it; label names are taken from its metadata.</summary>
    Parquet,

    /// <summary>fastText's: a line a text, its label in front (<c>__label__x text</c>); lines without are text without a label.</summary>
    Fasttext,

    /// <summary>A file for each text, in a folder for each label, as aclImdb: <c>train/neg/0_3.txt</c>.</summary>
    Folder,
}
