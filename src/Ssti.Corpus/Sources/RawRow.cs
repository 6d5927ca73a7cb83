namespace Ssti.Corpus.Sources;

/// <summary>A row as a file holds it, before its label is a number.</summary>
/// <param name="Number">The row's line in its file, from 1 (Parquet, JSON arrays: its row).</param>
/// <param name="Id">The source's id, if it has one.</param>
/// <param name="Text">The text.</param>
/// <param name="Label">The label's name or number as it is written, or null where the source leaves it out.</param>
internal readonly record struct RawRow(long Number, string? Id, string Text, string? Label);

/// <summary>A file of a source and how to read it.</summary>
/// <param name="Name">Relative to the source, with '/', as errors and the provenance show it.</param>
/// <param name="Format">How it holds its rows; never <see cref="SourceFormat.Auto"/>.</param>
/// <param name="Label">The label of all its rows, when its name says so.</param>
internal sealed record SourceFile(string Name, SourceFormat Format, string? Label = null)
{
    /// <summary>Whether it is one of the published files that are known to be Latin-1.</summary>
    public bool IsLatin1 { get; init; }

    /// <summary>What parts its fields, when a dataset card says so.</summary>
    public char? Delimiter { get; init; }

    /// <summary>Whether it is compressed with gzip.</summary>
    public bool IsGzip => Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name without folders.</summary>
    public string FileName => Name[(Name.LastIndexOf('/') + 1)..];
}

/// <summary>Which fields of a file a reader took.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">The label, or null when none was named and none has a usual name.</param>
/// <param name="All">All that there are.</param>
internal sealed record UsedFields(string Text, string? Label, IReadOnlyList<string> All);

/// <summary>Reads one format.</summary>
internal interface IRowReader
{
    /// <summary>The fields taken, once a row was read; null in formats without fields.</summary>
    UsedFields? Used => null;

    /// <summary>The rows of a file, streamed.</summary>
    /// <exception cref="CorpusException">A row is broken; the message names file and row.</exception>
    IEnumerable<RawRow> Read(SourceFile file, string path);

    /// <summary>The label names the format or the file itself prescribes, or null.</summary>
    IReadOnlyList<string>? LabelNames(SourceFile file, string path) => null;
}
