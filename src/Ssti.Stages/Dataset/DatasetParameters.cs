using System.ComponentModel;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What a <c>dataset</c> stage reads, and how.</summary>
public sealed record DatasetParameters
{
    /// <summary>A local file or folder, or <c>hf://owner/name[@revision]</c>.</summary>
    [Description("a local file or folder, or hf://owner/name or hf://owner/name@revision on the Hugging Face Hub")]
    public required SourcePath Source { get; init; }

    /// <summary>The name of the data; by default the repository's, and <c>local</c> for local files.</summary>
    [Description("name of the data; by default the repository's name, and 'local' for local files, whose paths must not reach the output")]
    public string? Name { get; init; }

    /// <summary>How the files hold their rows.</summary>
    [Description("how the files hold their rows; auto goes by their names")]
    public SourceFormat Format { get; init; } = SourceFormat.Auto;

    /// <summary>A configuration: one of the dataset card, or the folder to stay in.</summary>
    [Description("configuration of the data set: one that its card (README.md) describes, or the folder to stay in")]
    public string? Config { get; init; }

    /// <summary>Patterns of the files to take; empty: by their names.</summary>
    [Description("patterns (*, **, ?, [0-9]) of the files to take, all of them, relative to the source; by default those of the data set's card, else those whose names tell")]
    public List<string> Files { get; init; } = [];

    /// <summary>The split that all files are of.</summary>
    [Description("split that all files are of, whatever they are called; by default told by their names or the card. A file that is the whole source is the one split asked for, else train")]
    public string? Split { get; init; }

    /// <summary>The labelled splits to make.</summary>
    [Description("labelled splits to make; rows without a label (nothing, or a number below 0 that labels does not list) are left out and counted")]
    public List<string> Splits { get; init; } = ["train", "test"];

    /// <summary>Splits taken as plain text.</summary>
    [Description("further splits to take as plain text without labels, for pretraining")]
    public List<string> UnlabelledSplits { get; init; } = [];

    /// <summary>The label names in the order of their numbers; empty: the source's own.</summary>
    [Description("label names in the order of their numbers; by default the source's own, else those that occur, whole numbers in their order, names in alphabetical order")]
    public List<string> Labels { get; init; } = [];

    /// <summary>The fields of a row.</summary>
    [Description("fields (columns) of a row")]
    public FieldParameters Fields { get; init; } = new();

    /// <summary>The encoding of text files.</summary>
    [Description("utf-8, latin-1, windows-1252 or ascii; by default latin-1 for rt-polarity and Financial PhraseBank, else utf-8")]
    public string? Encoding { get; init; }

    /// <summary>Whether TSV and CSV files begin with a line of names.</summary>
    [Description("whether TSV and CSV files begin with a line of names; without, fields are named by number, from 0")]
    public bool Header { get; init; } = true;

    /// <summary>What parts the fields of TSV and CSV.</summary>
    [Description("character that parts the fields of CSV and TSV, such as ';'; by default a comma and a tab")]
    public string? Delimiter { get; init; }

    /// <summary>Whether quotes in TSV and CSV group fields.</summary>
    [Description("whether quotes in TSV and CSV are those of RFC 4180 rather than plain characters; by default in CSV only")]
    public bool? Quotes { get; init; }

    /// <summary>The source's split that becomes <c>test</c>.</summary>
    [Description("the source's split that becomes 'test', or held-out for a share of train; by default its test split if that has labels, else its validation split, else held-out")]
    public string? TestFrom { get; init; }

    /// <summary>The share of rows held out of <c>train</c> where there is no test split.</summary>
    [Description("share of train held out where test is held-out")]
    public double TestFraction { get; init; } = 0.3;

    /// <summary>The seed of the held-out split, which is that of Hugging Face's <c>train_test_split</c>.</summary>
    [Description("seed of the held-out split; the same rows in the same order as datasets.train_test_split(test_size, seed)")]
    public long TestSeed { get; init; } = 42;

    /// <summary>The most rows of a split; null: all.</summary>
    [Description("most rows of a split; by default all")]
    public int? Limit { get; init; }

    /// <summary>The most words of a text; null: all.</summary>
    [AddedLater, Description("most words of a text: longer ones lose what is behind, so that a token put at the end is not cut away with it later (default all)")]
    public int? Words { get; init; }

    /// <summary>Which rows a limit takes.</summary>
    [Description("which rows a limit takes: a random sample, in the source's order, or the head")]
    public LimitBy LimitBy { get; init; } = LimitBy.Sample;
}

/// <summary>The fields (columns) a row is made of.</summary>
public sealed record FieldParameters
{
    /// <summary>The text.</summary>
    [Description("the text; by default text, sentence, hard_text, review or content. A path such as data.text goes into objects")]
    public string? Text { get; init; }

    /// <summary>The label, a number or a name.</summary>
    [Description("the label, a whole number or a name (1, 1.0 and true are one class); by default label, labels, profession, sentiment or class")]
    public string? Label { get; init; }

    /// <summary>The id.</summary>
    [Description("the id, unique in a split; by default id or idx where those are unique, else rows are numbered")]
    public string? Id { get; init; }
}

/// <summary>Which rows a limit takes.</summary>
public enum LimitBy
{
    /// <summary>A random sample, in the source's order.</summary>
    Sample,

    /// <summary>The first rows. Sources are often sorted by label.</summary>
    Head,
}
