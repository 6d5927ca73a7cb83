using System.Text;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>The reader of each format.</summary>
internal static class RowReaders
{
    /// <summary>The reader of a file, as the options say.</summary>
    public static IRowReader Of(SourceFile file, ImportOptions options) => file.Format switch
    {
        SourceFormat.Parquet => new ParquetRowReader(options.Fields),
        SourceFormat.Jsonl => new JsonLinesReader(options.Fields, EncodingOf(file, options), commonsenseQa: false),
        SourceFormat.CommonsenseQa => new JsonLinesReader(options.Fields, EncodingOf(file, options), commonsenseQa: true),
        SourceFormat.Tsv => new DelimitedReader(
            options.Fields, EncodingOf(file, options), options.Delimiter ?? file.Delimiter ?? '\t', options.Quotes ?? false, options.Header),
        SourceFormat.Csv => new DelimitedReader(
            options.Fields, EncodingOf(file, options), options.Delimiter ?? file.Delimiter ?? ',', options.Quotes ?? true, options.Header),
        SourceFormat.Phrasebank => new PhrasebankReader(EncodingOf(file, options)),
        SourceFormat.Folder => new FolderReader(EncodingOf(file, options)),
        SourceFormat.Lines => new LinesReader(EncodingOf(file, options)),
        SourceFormat.Fasttext => new FastTextReader(EncodingOf(file, options)),
        _ => throw new InvalidOperationException($"no reader for {file.Format}"),
    };

    /// <summary>The encoding of a file.</summary>
    public static Encoding EncodingOf(SourceFile file, ImportOptions options) => TextFiles.Strict(options.Encoding ?? (file.IsLatin1 ? "latin-1" : "utf-8"));
}
