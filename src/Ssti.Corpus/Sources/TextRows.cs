using System.Text;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>A text to be classified.</summary>
/// <param name="Number">Which row of its file it is, from 1; a header is none.</param>
/// <param name="Id">The file's own id, or null.</param>
/// <param name="Text">The text; may be empty.</param>
public readonly record struct TextRow(long Number, string? Id, string Text);

/// <summary>Reads the texts of one file in its order, streamed: memory is that of the longest row (Parquet: of the largest row group). Labels are of no matter.</summary>
public static class TextRows
{
    /// <summary>The formats that a file of texts may have, as they are named on the command line.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["lines", "csv", "tsv", "jsonl", "parquet", "fasttext"];

    /// <summary>The format that a file's name tells; null when it tells none. A <c>.txt</c> holds a text a line.</summary>
    public static string? FormatOf(string name) => FileKinds.RowFormat(name) is { } rows ? FileKinds.NameOf(rows) : FileKinds.IsText(name) ? "lines" : null;

    /// <summary>The texts of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="options">How it is read: fields, encoding, delimiter, header.</param>
    /// <exception cref="CorpusException">It cannot be read, or a row is broken; the message names file and row. Thrown while reading.</exception>
    public static IEnumerable<TextRow> Read(string path, string format, ImportOptions options)
    {
        var file = new SourceFile(Path.GetFileName(path), format == "lines" ? SourceFormat.Lines : Enum.Parse<SourceFormat>(format, ignoreCase: true));
        TextFiles.RequireData(file, path);
        if (format == "lines") return Lines(TextFiles.Open(file, path), file.Name, options.Encoding);
        return RowReaders.Of(file, options).Read(file, path).Select((row, index) => new TextRow(index + 1, row.Id, row.Text));
    }

    /// <summary>A text a line; the stream is closed in the end. White space at both ends is no part of a text.</summary>
    /// <param name="stream">The lines; read as they come.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="encoding">Its encoding; null for UTF-8.</param>
    /// <exception cref="CorpusException">A line is of another encoding, or begins with a label as fastText writes them. Thrown while reading.</exception>
    public static IEnumerable<TextRow> Lines(Stream stream, string name, string? encoding = null)
    {
        var (file, decoder) = (new SourceFile(name, SourceFormat.Lines), TextFiles.Strict(encoding ?? "utf-8"));
        using var lines = new LineScanner(stream);
        while (lines.TryRead(out var line))
        {
            var text = TextFiles.Decode(file, lines.Line, lines.Offset, line.Span, decoder).Trim();
            if (text.StartsWith(FastTextReader.Prefix, StringComparison.Ordinal))
                throw CorpusException.AtRow(
                    name, lines.Line,
                    $"the line begins with a label ('{FastTextReader.Prefix}…'), which is no part of the text: read the file as fasttext");
            yield return new TextRow(lines.Line, null, text);
        }
    }

    /// <summary>Looks at the first row of the files that a source has of train, to tell what is wrong with its fields before anything is run.</summary>
    /// <param name="source">The source.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>The splits that it has, and the fields taken: null in formats without fields, and for the label where none was found.</returns>
    /// <exception cref="CorpusException">The layout tells no split, or the first row cannot be read.</exception>
    public static async Task<SourceGlance> GlanceAsync(SourceFolder source, ImportOptions options, CancellationToken cancellation)
    {
        DatasetCard? card = null;
        if (!source.IsSingleFile && source.Files.Contains(DatasetCard.FileName))
            card = DatasetCard.Parse(
                await File.ReadAllTextAsync(await source.FetchAsync(DatasetCard.FileName, cancellation).ConfigureAwait(false), cancellation)
                    .ConfigureAwait(false));
        var plan = SourceLayout.Plan(source.Files, options, source.Title, card, source.IsSingleFile);
        var splits = plan.Splits.Keys.Order(StringComparer.Ordinal).ToArray();
        if (plan.Of("train") is not [var first, ..]) return new(splits, null, null, HasFields: false);
        var path = await source.FetchAsync(first.Name, cancellation).ConfigureAwait(false);
        TextFiles.RequireData(first, path);
        var reader = RowReaders.Of(first, options);
        using var rows = reader.Read(first, path).GetEnumerator();
        rows.MoveNext();
        return new(splits, reader.Used?.Text, reader.Used?.Label ?? first.Label, reader.Used is not null) { Fields = reader.Used?.All ?? [] };
    }
}

/// <summary>What a first look at a source sees.</summary>
/// <param name="Splits">The splits that its files are of.</param>
/// <param name="Text">The field of the text.</param>
/// <param name="Label">The field of the label; null when there is none.</param>
/// <param name="HasFields">Whether its format has named fields.</param>
public sealed record SourceGlance(IReadOnlyList<string> Splits, string? Text, string? Label, bool HasFields)
{
    /// <summary>The fields.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];
}
