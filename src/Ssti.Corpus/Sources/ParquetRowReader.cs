using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Ssti.Corpus.Sources;

/// <summary>
/// Parquet as the Hugging Face Hub serves it: a text column, a label column of whole numbers or strings, and label names in the file's
/// <c>huggingface</c> metadata. CommonsenseQA's nested choices are read too. Memory is that of the largest row group.
/// </summary>
internal sealed class ParquetRowReader(SourceFields fields) : IRowReader
{
    public IReadOnlyList<string>? LabelNames(SourceFile file, string path)
    {
        using var opened = Open(file, path);
        var names = opened.Columns.Keys.ToArray();
        if (IsCommonsenseQa(names)) return CommonsenseQa.Labels;
        if (fields.LabelAmong(names, file.Name) is not { } label) return null;
        if (opened.Reader.CustomMetadata?.GetValueOrDefault("huggingface") is not { } metadata) return null;
        try
        {
            var classes = JsonNode.Parse(metadata)?["info"]?["features"]?[label];
            return (string?)classes?["_type"] == "ClassLabel"
                ? classes["names"]?.AsArray().Select(name => (string)name!).ToArray()
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CorpusException($"{file.Name}: its 'huggingface' metadata is not JSON of the known form: {error.Message}", error);
        }
    }

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        using var opened = Open(file, path);
        var names = opened.Columns.Keys.ToArray();
        var questions = IsCommonsenseQa(names);
        string text = questions ? "question" : fields.TextAmong(names, file.Name);
        var label = questions ? "answerKey" : fields.LabelAmong(names, file.Name);
        var id = fields.IdAmong(names, file.Name);
        long number = 0;
        for (var group = 0; group < opened.Reader.RowGroupCount; group++)
        {
            using var rows = opened.Reader.OpenRowGroupReader(group);
            var count = checked((int)rows.RowCount);
            var texts = Cells(rows, opened.Columns[text], file, number);
            var labels = label is null ? null : Cells(rows, opened.Columns[label], file, number);
            var ids = id is null ? null : Cells(rows, opened.Columns[id], file, number);
            var letters = questions ? Cells(rows, opened.Columns["choices/label"], file, number) : null;
            var choices = questions ? Cells(rows, opened.Columns["choices/text"], file, number) : null;
            foreach (var column in new[] { texts, labels, ids, letters, choices })
                if (column is not null && column.Length != count) throw Broken(file, $"a column has {column.Length} rows where the group has {count}", null);

            for (var row = 0; row < count; row++)
            {
                number++;
                var one = One(texts[row]) ?? throw CorpusException.AtRow(file.Name, number, $"no value in '{text}'");
                if (questions) one = CommonsenseQa.Join(one, CommonsenseQa.Ordered(All(letters![row]), All(choices![row]), file, number));
                yield return new RawRow(number, One(ids?[row]), one, One(labels?[row]) is { Length: > 0 } name ? name : file.Label);
            }
        }
    }

    private static bool IsCommonsenseQa(string[] names) => names.Contains("question") && names.Contains("choices/text") && names.Contains("answerKey");

    private static string? One(List<string?>? cell) => cell is [var value] ? value : null;

    private static List<string> All(List<string?> cell) => [.. cell.Select(value => value ?? "")];

    /// <summary>The values of each row of a column: one for a plain column, any number for a list.</summary>
    private static List<string?>[] Cells(ParquetRowGroupReader rows, DataField column, SourceFile file, long before)
    {
        try
        {
            // The stream is a local file: nothing is awaited in truth, and rows can be handed out one at a time.
            using var raw = rows.ReadRawColumnDataBaseAsync(column, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return raw switch
            {
                RawColumnData<ReadOnlyMemory<char>> text => Assemble(text, column, value => value.ToString()),
                RawColumnData<ReadOnlyMemory<byte>> bytes => Assemble(bytes, column, value => Utf8.GetString(value.Span)),
                RawColumnData<long> data => Assemble(data, column, Whole),
                RawColumnData<int> data => Assemble(data, column, Whole),
                RawColumnData<short> data => Assemble(data, column, Whole),
                RawColumnData<sbyte> data => Assemble(data, column, Whole),
                RawColumnData<byte> data => Assemble(data, column, Whole),
                RawColumnData<bool> data => Assemble(data, column, value => value ? "1" : "0"),
                _ => throw new CorpusException($"{file.Name}: column '{column.Path}' holds {column.ClrType.Name}, neither text nor whole numbers"),
            };
        }
        catch (Exception error) when (error is not CorpusException)
        {
            throw Broken(file, $"column '{column.Path}' behind row {before} cannot be read: {error.Message}", error);
        }
    }

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private static string Whole<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    // Dremel's levels: a row starts where the repetition level is 0; a value is there where the definition level is full.
    private static List<string?>[] Assemble<T>(RawColumnData<T> raw, DataField column, Func<T, string> text) where T : struct
    {
        var values = raw.Values;
        var definition = column.MaxDefinitionLevel > 0 ? raw.DefinitionLevels : [];
        var repetition = column.MaxRepetitionLevel > 0 ? raw.RepetitionLevels : [];
        var entries = column.MaxDefinitionLevel > 0 ? definition.Length : column.MaxRepetitionLevel > 0 ? repetition.Length : values.Length;
        var cells = new List<List<string?>>(entries);
        var next = 0;
        for (var entry = 0; entry < entries; entry++)
        {
            if (column.MaxRepetitionLevel == 0 || repetition[entry] == 0) cells.Add([]);
            if (column.MaxDefinitionLevel == 0 || definition[entry] == column.MaxDefinitionLevel) cells[^1].Add(text(values[next++]));
            else if (column.MaxRepetitionLevel == 0) cells[^1].Add(null);
        }

        return [.. cells];
    }

    private static Opened Open(SourceFile file, string path)
    {
        try
        {
            var reader = ParquetReader.CreateAsync(path).GetAwaiter().GetResult();
            var columns = new Dictionary<string, DataField>(StringComparer.Ordinal);
            foreach (var column in reader.Schema.GetDataFields())
            {
                var parts = column.Path.ToList();
                // choices/text/list/element and choices/text/array are the field choices/text.
                columns.TryAdd(string.Join('/', parts.Take(column.MaxRepetitionLevel > 0 ? Math.Min(2, parts.Count) : parts.Count)), column);
            }

            return new Opened(reader, columns);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw Broken(file, error.Message, error);
        }
    }

    private static CorpusException Broken(SourceFile file, string message, Exception? inner) => new($"{file.Name}: not a readable Parquet file: {message}", inner);

    private sealed record Opened(ParquetReader Reader, IReadOnlyDictionary<string, DataField> Columns) : IDisposable
    {
        public void Dispose() => Reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
