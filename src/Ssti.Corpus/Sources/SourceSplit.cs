using System.Security.Cryptography;
using System.Text;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>A split as the source has it: its files, fetched, and what a first reading found in them.</summary>
internal sealed class SourceSplit(string name, IReadOnlyList<(SourceFile File, string Path)> files, ImportOptions options)
{
    private readonly Dictionary<SourceFile, (long Rows, long Unlabelled)> _counts = [];

    /// <summary>What the source calls it.</summary>
    public string Name => name;

    /// <summary>Rows with a label.</summary>
    public int Labelled { get; private set; }

    /// <summary>Rows in all.</summary>
    public int Rows { get; private set; }

    /// <summary>The labels that occur, as the source writes them.</summary>
    public HashSet<string> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether every row has an id of the source's that no other has.</summary>
    public bool HasOwnIds { get; private set; } = true;

    /// <summary>The label names the files prescribe, if any.</summary>
    public IReadOnlyList<string>? PrescribedLabels => files.Count == 0 ? null : Reader(files[0].File).LabelNames(files[0].File, files[0].Path);

    /// <summary>Reads everything once: counts, labels, ids. Breaks on the first bad row.</summary>
    public void Survey(Action<long> progress, CancellationToken cancellation)
    {
        // An id costs 24 bytes here whatever its length: a 128-bit digest cannot collide by chance.
        var seen = new Dictionary<UInt128, int>();
        foreach (var (file, path) in files)
        {
            long rows = 0, unlabelled = 0;
            foreach (var row in Reader(file).Read(file, path))
            {
                if ((++Rows & 1023) == 0) progress(Rows);
                cancellation.ThrowIfCancellationRequested();
                rows++;
                if (LabelNames.IsNone(row.Label)) unlabelled++;
                else LabelNames.Note(Labels, row.Label!, file, row.Number);
                if (HasOwnIds) NoteId(row, file, seen);
            }

            if (rows == 0) throw new CorpusException($"{file.Name} has no rows: is it empty, or cut short?");
            _counts[file] = (rows, unlabelled);
            Labelled += checked((int)(rows - unlabelled));
        }
    }

    /// <summary>The rows, streamed; unlabelled ones only when asked for, and then with no label.</summary>
    public IEnumerable<Row> Read(LabelNames labels, bool ownIds, bool withoutLabels)
    {
        var number = -1;
        foreach (var (file, path) in files)
        {
            foreach (var row in Reader(file).Read(file, path))
            {
                number++;
                if (!withoutLabels && LabelNames.IsNone(row.Label)) continue;
                var label = withoutLabels ? Row.Unlabelled : labels.Of(row.Label!, file.Name, row.Number);
                yield return new Row(ownIds ? row.Id! : $"{name}-{number}", row.Text, label);
            }
        }
    }

    /// <summary>What the provenance says of the files.</summary>
    public IEnumerable<System.Text.Json.Nodes.JsonObject> Describe(Func<string, string> nameOf)
    {
        foreach (var (file, path) in files)
        {
            using var stream = File.OpenRead(path);
            var described = new System.Text.Json.Nodes.JsonObject
            {
                ["split"] = name,
                ["file"] = nameOf(file.Name),
                ["format"] = FormatName(file.Format),
                ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(stream)),
                ["rows"] = _counts[file].Rows,
                ["without-label"] = _counts[file].Unlabelled,
            };
            if (file.Format != SourceFormat.Parquet) described.Insert(3, "encoding", EncodingOf(file).WebName);
            yield return described;
        }
    }

    private void NoteId(RawRow row, SourceFile file, Dictionary<UInt128, int> seen)
    {
        if (row.Id is null)
        {
            if (options.Fields.Id is { } field) throw CorpusException.AtRow(file.Name, row.Number, $"no id in '{field}'");
            HasOwnIds = false;
            return;
        }

        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(row.Id), hash);
        var digest = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
        if (seen.TryAdd(digest, Rows)) return;
        if (options.Fields.Id is not null)
            throw CorpusException.AtRow(file.Name, row.Number, $"the id '{row.Id}' is that of row {seen[digest]} of '{name}' too; leave 'fields.id' out to number the rows");
        HasOwnIds = false;
    }

    private IRowReader Reader(SourceFile file) => file.Format switch
    {
        SourceFormat.Parquet => new ParquetRowReader(options.Fields),
        SourceFormat.Jsonl => new JsonLinesReader(options.Fields, EncodingOf(file), commonsenseQa: false),
        SourceFormat.CommonsenseQa => new JsonLinesReader(options.Fields, EncodingOf(file), commonsenseQa: true),
        SourceFormat.Tsv => new DelimitedReader(options.Fields, EncodingOf(file), '\t', options.Quotes ?? false, options.Header),
        SourceFormat.Csv => new DelimitedReader(options.Fields, EncodingOf(file), ',', options.Quotes ?? true, options.Header),
        SourceFormat.Phrasebank => new PhrasebankReader(EncodingOf(file)),
        SourceFormat.Folder => new FolderReader(EncodingOf(file)),
        SourceFormat.Lines => new LinesReader(EncodingOf(file)),
        _ => throw new InvalidOperationException($"no reader for {file.Format}"),
    };

    private Encoding EncodingOf(SourceFile file) => TextFiles.Strict(options.Encoding ?? (IsKnownLatin1(file) ? "latin-1" : "utf-8"));

    private static bool IsKnownLatin1(SourceFile file) =>
        file.Format == SourceFormat.Phrasebank || file.FileName.StartsWith("rt-polarity.", StringComparison.Ordinal);

    private static string FormatName(SourceFormat format) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(format.ToString());
}
