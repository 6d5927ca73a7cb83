namespace Ssti.Corpus.Sources;

/// <summary>What to take from a source and how to read it. The defaults follow the published protocol.</summary>
public sealed record ImportOptions
{
    /// <summary>The names <see cref="Encoding"/> may take.</summary>
    public static IReadOnlyList<string> Encodings => Text.TextFiles.Encodings;

    /// <summary>The name of the dataset made.</summary>
    public required string Name { get; init; }

    /// <summary>How the files hold their rows.</summary>
    public SourceFormat Format { get; init; }

    /// <summary>A configuration of the dataset card, or a folder within the source to stay in.</summary>
    public string? Config { get; init; }

    /// <summary>Patterns (<c>*</c>, <c>**</c>, <c>?</c>) of the files to take; empty: those whose names fit the format.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>The split that all files are of, whatever their names say; null: by their names, and a lone file is the one split asked for, else <c>train</c>.</summary>
    public string? Split { get; init; }

    /// <summary>The splits to make, in order.</summary>
    public IReadOnlyList<string> Splits { get; init; } = ["train", "test"];

    /// <summary>Further splits to take as plain text, their labels dropped.</summary>
    public IReadOnlyList<string> UnlabelledSplits { get; init; } = [];

    /// <summary>The label names in the order of their numbers; empty: the source's own.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The fields of a row.</summary>
    public SourceFields Fields { get; init; } = new();

    /// <summary>The encoding of text files; null: Latin-1 for rt-polarity and Financial PhraseBank, else UTF-8.</summary>
    public string? Encoding { get; init; }

    /// <summary>Whether TSV and CSV files begin with a line of names.</summary>
    public bool Header { get; init; } = true;

    /// <summary>What parts the fields of CSV and TSV; null: comma and tab.</summary>
    public char? Delimiter { get; init; }

    /// <summary>Whether quotes in TSV and CSV are those of RFC 4180 rather than plain characters; null: in CSV only.</summary>
    public bool? Quotes { get; init; }

    /// <summary>
    /// The split of the source that becomes <c>test</c>; null: its <c>test</c> where that has labels, else its <c>validation</c>, else rows
    /// held out of <c>train</c>. <see cref="HeldOut"/> always holds out.
    /// </summary>
    public string? TestFrom { get; init; }

    /// <summary>The value of <see cref="TestFrom"/> for rows held out of <c>train</c>.</summary>
    public const string HeldOut = "held-out";

    /// <summary>The share of rows held out.</summary>
    public double TestFraction { get; init; } = 0.3;

    /// <summary>The seed of the held-out split.</summary>
    public ulong TestSeed { get; init; } = 42;

    /// <summary>The most rows a split may have; null: all.</summary>
    public int? Limit { get; init; }

    /// <summary>The most words (between white space) of a text; null: all.</summary>
    public int? Words { get; init; }

    /// <summary>Whether a limit takes the first rows rather than a random sample in the source's order.</summary>
    public bool LimitHead { get; init; }

    /// <summary>The seed of a limit's sample.</summary>
    public ulong LimitSeed { get; init; }
}
