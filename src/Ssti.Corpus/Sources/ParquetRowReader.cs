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
/// <c>huggingface</c> metadata. CommonsenseQA's nested choices are read too. Memory is that of the largest row group. Only the columns
/// needed are read, so that one the library cannot read is of no matter unless it is one of them.
/// </summary>
internal sealed class ParquetRowReader(SourceFields fields) : IRowReader
{
    public UsedFields? Used { get; private set; }

    public IReadOnlyList<string>? LabelNames(SourceFile file, string path)
    {
        using var opened = Open(file, path);
        var names = opened.Columns.Keys.ToArray();
        if (IsCommonsenseQa(names)) return CommonsenseQa.Labels;
        if ((Path(fields.Label, names) ?? fields.LabelAmong(names, file.Name)) is not { } label) return null;
        if (opened.Reader.CustomMetadata?.GetValueOrDefault("huggingface") is not { } metadata) return null;
        try
        {
            var classes = JsonNode.Parse(metadata)?["info"]?["features"]?[label.Split('/')[0]];
            // A list of classes.
            if (classes is JsonObject list && list["feature"] is JsonObject inner) classes = inner;
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
        var text = Column(opened, questions ? "question" : Path(fields.Text, names) ?? fields.TextAmong(names, file.Name), "text", file)!.Value;
        var label = Column(opened, questions ? "answerKey" : Path(fields.Label, names) ?? fields.LabelAmong(names, file.Name), "label", file);
        var id = Column(opened, Path(fields.Id, names) ?? fields.IdAmong(names, file.Name), "id", file);
        if (!questions) Used = new UsedFields(text.Name, label?.Name, names);
        long number = 0;
        for (var group = 0; group < opened.Reader.RowGroupCount; group++)
        {
            using var rows = opened.Reader.OpenRowGroupReader(group);
            var count = checked((int)rows.RowCount);
            var texts = Cells(rows, text.Field, opened, file, number, textOnly: true);
            var labels = label is null ? null : Cells(rows, label.Value.Field, opened, file, number);
            var ids = id is null ? null : Cells(rows, id.Value.Field, opened, file, number);
            var letters = questions ? Cells(rows, opened.Columns["choices/label"], opened, file, number) : null;
            var choices = questions ? Cells(rows, opened.Columns["choices/text"], opened, file, number) : null;
            foreach (var column in new[] { texts, labels, ids, letters, choices })
                if (column is not null && column.Length != count) throw Broken(file, $"a column has {column.Length} rows where the group has {count}", null);

            for (var row = 0; row < count; row++)
            {
                number++;
                var one = One(texts[row], text.Index) ?? throw CorpusException.AtRow(file.Name, number, $"no value in '{text.Name}'");
                if (questions) one = CommonsenseQa.Join(one, CommonsenseQa.Ordered(All(letters![row]), All(choices![row]), file, number));
                var name = label is null ? null : One(labels![row], label.Value.Index);
                yield return new RawRow(number, id is null ? null : One(ids![row], id.Value.Index), one, name is { Length: > 0 } ? name : file.Label);
            }
        }
    }

    // data.text is the field text of data, and labels.0 the first of the list labels.
    private static string? Path(string? named, string[] names)
    {
        if (named is null || names.Contains(named) || !named.Contains('.')) return null;
        var path = named.Replace('.', '/');
        if (names.Contains(path)) return path;
        var at = path.LastIndexOf('/');
        return names.Contains(path[..at]) && int.TryParse(path[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _) ? path : null;
    }

    private static (string Name, DataField Field, int? Index)? Column(Opened opened, string? name, string role, SourceFile file)
    {
        if (name is null) return null;
        if (!opened.Columns.TryGetValue(name, out var field))
        {
            var at = name.LastIndexOf('/');
            return (name, opened.Columns[name[..at]], int.Parse(name[(at + 1)..], CultureInfo.InvariantCulture));
        }

        if (field.MaxRepetitionLevel > 0)
        {
            throw new CorpusException($"{file.Name}: column '{name}' holds lists: a row has one {role} here; " +
                $"for the first of a list say 'fields: {{ {role}: {name.Replace('/', '.')}.0 }}'");
        }

        return (name, field, null);
    }

    private static bool IsCommonsenseQa(string[] names) => names.Contains("question") && names.Contains("choices/text") && names.Contains("answerKey");

    private static string? One(List<string?> cell, int? index) => cell.ElementAtOrDefault(index ?? 0);

    private static List<string> All(List<string?> cell) => [.. cell.Select(value => value ?? "")];

    /// <summary>The values of each row of a column: one for a plain column, any number for a list.</summary>
    private static List<string?>[] Cells(ParquetRowGroupReader rows, DataField column, Opened opened, SourceFile file, long before, bool textOnly = false)
    {
        var name = column.Path.ToString();
        if (opened.Unknown.GetValueOrDefault(column.Name) is { } kind)
            throw new CorpusException($"{file.Name}: column '{name}' is of type {kind}, which is not read; {Cure(file, "cast it to a string or a whole number first")}");
        try
        {
            // The stream is a local file: nothing is awaited in truth, and rows can be handed out one at a time.
            using var raw = rows.ReadRawColumnDataBaseAsync(column, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            if (textOnly && raw is not (RawColumnData<ReadOnlyMemory<char>> or RawColumnData<ReadOnlyMemory<byte>>))
                throw new CorpusException($"{file.Name}: column '{name}' holds {column.ClrType.Name}, no text; name the text's column with 'fields: {{ text: … }}'");
            return raw switch
            {
                RawColumnData<ReadOnlyMemory<char>> text => Assemble(text, column, value => value.ToString()),
                RawColumnData<ReadOnlyMemory<byte>> bytes => Assemble(bytes, column, value => Utf8.GetString(value.Span)),
                RawColumnData<long> data => Assemble(data, column, Number),
                RawColumnData<int> data => Assemble(data, column, Number),
                RawColumnData<short> data => Assemble(data, column, Number),
                RawColumnData<sbyte> data => Assemble(data, column, Number),
                RawColumnData<byte> data => Assemble(data, column, Number),
                RawColumnData<ulong> data => Assemble(data, column, Number),
                RawColumnData<uint> data => Assemble(data, column, Number),
                RawColumnData<ushort> data => Assemble(data, column, Number),
                // Whole numbers are labels, NaN is none, and a fraction is for the label's rule to refuse.
                RawColumnData<float> data => Assemble(data, column, Number),
                RawColumnData<double> data => Assemble(data, column, value => Math.Abs(value) < 1e18 && value == Math.Truncate(value) ? Number((long)value) : Number(value)),
                RawColumnData<decimal> data => Assemble(data, column, Number),
                RawColumnData<bool> data => Assemble(data, column, value => value ? LabelForm.True : LabelForm.False),
                _ => throw new CorpusException(
                    $"{file.Name}: column '{name}' holds {column.ClrType.Name}, neither text nor numbers; {Cure(file, "cast it to a string or a whole number first")}"),
            };
        }
        catch (DecoderFallbackException error)
        {
            throw new CorpusException($"{file.Name}: column '{name}' holds bytes that are no UTF-8; {Cure(file, "write it as strings")}", error);
        }
        catch (Exception error) when (error is not (CorpusException or OutOfMemoryException))
        {
            var encodings = string.Join(", ", rows.GetMetadata(column)?.MetaData?.Encodings.Distinct() ?? []);
            throw new CorpusException(
                $"{file.Name}: column '{name}' behind row {before} cannot be read: {error.Message.TrimEnd('.')}. " +
                $"It is {rows.GetMetadata(column)?.MetaData?.Type} in the encodings {encodings}; RLE of booleans and lists in pages of version 2 are not read. "
                    + $"{Cure(file, "write the file anew with data_page_version='1.0'")}", error);
        }
    }

    private static string Cure(SourceFile file, string what) =>
        $"{what}, or write JSON lines, for example in Python: pandas.read_parquet('{file.FileName}').to_json('{file.FileName.Split('.')[0]}.jsonl', orient='records', lines=True)";

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private static string Number<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

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
        Stream? opened = null;
        try
        {
            var (stream, unknown) = ParquetFooter.Open(path);
            opened = stream;
            var reader = ParquetReader.CreateAsync(stream, leaveStreamOpen: false).GetAwaiter().GetResult();
            var columns = new Dictionary<string, DataField>(StringComparer.Ordinal);
            foreach (var column in reader.Schema.GetDataFields())
            {
                var parts = column.Path.ToList();
                // choices/text/list/element and choices/text/array are the field choices/text.
                if (column.MaxRepetitionLevel > 0 && parts is [_, .., "element" or "item" or "array" or "array_element"]) parts.RemoveAt(parts.Count - 1);
                if (column.MaxRepetitionLevel > 0 && parts is [_, .., "list" or "bag"]) parts.RemoveAt(parts.Count - 1);
                columns.TryAdd(string.Join('/', parts), column);
            }

            return new Opened(reader, stream, columns, unknown);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            opened?.Dispose();
            throw Broken(file, error.Message, error);
        }
    }

    private static CorpusException Broken(SourceFile file, string message, Exception? inner) => new($"{file.Name}: not a readable Parquet file: {message}", inner);

    private sealed record Opened(ParquetReader Reader, Stream Stream, IReadOnlyDictionary<string, DataField> Columns, IReadOnlyDictionary<string, string> Unknown) : IDisposable
    {
        public void Dispose()
        {
            Reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Stream.Dispose();
        }
    }
}
