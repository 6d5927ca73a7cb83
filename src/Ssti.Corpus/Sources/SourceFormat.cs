namespace Ssti.Corpus.Sources;

/// <summary>How the files of a source hold their rows.</summary>
public enum SourceFormat
{
    /// <summary>By the names of the files, and for CommonsenseQA by the first row.</summary>
    Auto,

    /// <summary>A JSON object a line (<c>.jsonl</c>, <c>.ndjson</c>).</summary>
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

    /// <summary>A file for each text, in a folder for each label, as aclImdb: <c>train/neg/0_3.txt</c>.</summary>
    Folder,
}

/// <summary>The fields (columns) a row is made of. A null is looked for under the usual names.</summary>
/// <param name="Text">The text; by default <c>text</c>, <c>sentence</c>, <c>hard_text</c>, <c>review</c> or <c>content</c>.</param>
/// <param name="Label">The label; by default <c>label</c>, <c>labels</c>, <c>profession</c>, <c>sentiment</c> or <c>class</c>.</param>
/// <param name="Id">The id; by default <c>id</c> or <c>idx</c> where it is unique, else rows are numbered.</param>
public sealed record SourceFields(string? Text = null, string? Label = null, string? Id = null)
{
    private static readonly string[] Texts = ["text", "sentence", "hard_text", "review", "content"];
    private static readonly string[] Labels = ["label", "labels", "profession", "sentiment", "class"];
    private static readonly string[] Ids = ["id", "idx"];

    /// <summary>Which of the fields present is the text; throws a message listing them when none is.</summary>
    internal string TextAmong(IReadOnlyCollection<string> present, string where) => Among(present, Text, Texts) ?? throw Missing("text", Text, present, where);

    /// <summary>Which of the fields present is the label, or null when none was named and none has a usual name.</summary>
    internal string? LabelAmong(IReadOnlyCollection<string> present, string where) =>
        Among(present, Label, Labels) ?? (Label is null ? null : throw Missing("label", Label, present, where));

    /// <summary>Which of the fields present is the id, or null when none was named and none has a usual name.</summary>
    internal string? IdAmong(IReadOnlyCollection<string> present, string where) =>
        Among(present, Id, Ids) ?? (Id is null ? null : throw Missing("id", Id, present, where));

    internal static CorpusException Missing(string role, string? named, IEnumerable<string> present, string where) => new(
        $"{where}: no field {(named is null ? $"that looks like the {role}" : $"'{named}'")}; the fields are: {string.Join(", ", present)}. " +
        $"Name it with 'fields: {{ {role}: … }}'");

    private static string? Among(IReadOnlyCollection<string> present, string? named, string[] usual) =>
        named is not null ? (present.Contains(named) ? named : null) : usual.FirstOrDefault(present.Contains);
}
