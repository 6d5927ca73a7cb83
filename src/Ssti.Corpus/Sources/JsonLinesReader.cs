using System.Globalization;
using System.Text;
using System.Text.Json;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>
/// A JSON object a line, or one array of objects; a row of CommonsenseQA is recognised when it is asked for or the first row looks like one.
/// A field may be named by a path (<c>data.text</c>, <c>labels.0</c>). NaN and the infinities, which JSON does not have but many write, are
/// taken as null.
/// </summary>
internal sealed class JsonLinesReader(SourceFields fields, Encoding encoding, bool commonsenseQa) : IRowReader
{
    private const string Layout =
        " A row is one object on one line, or an element of one array; 'jq -c .' writes objects so, 'jq -c .data[]' those of a list named data.";

    public UsedFields? Used { get; private set; }

    public IReadOnlyList<string>? LabelNames(SourceFile file, string path) =>
        IsCommonsenseQa(file, path) ? CommonsenseQa.Labels : null;

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        var questions = IsCommonsenseQa(file, path);
        foreach (var (number, offset, bytes) in Rows(file, path))
        {
            using var row = Parse(file, number, offset, bytes);
            yield return questions ? CommonsenseQa.Join(row.RootElement, file, number) : Take(row.RootElement, file, number);
        }
    }

    private static IEnumerable<(long Number, long Offset, ReadOnlyMemory<byte> Bytes)> Rows(SourceFile file, string path) => JsonElements.IsArray(file, path)
        ? JsonElements.Of(file, path)
        : TextFiles.Lines(file, path).Where(line => !line.Bytes.Span.Trim(" \t"u8).IsEmpty);

    private bool IsCommonsenseQa(SourceFile file, string path)
    {
        if (commonsenseQa) return true;
        if (fields.Text is not null) return false;
        foreach (var (number, offset, bytes) in Rows(file, path))
        {
            using var row = Parse(file, number, offset, bytes);
            return row.RootElement.TryGetProperty("question", out var question) &&
                (row.RootElement.TryGetProperty("choices", out _) || (question.ValueKind == JsonValueKind.Object && question.TryGetProperty("choices", out _)));
        }

        return false;
    }

    private JsonDocument Parse(SourceFile file, long number, long offset, ReadOnlyMemory<byte> bytes)
    {
        if (encoding is UTF8Encoding) TextFiles.RequireUtf8(file, number, offset, bytes.Span, encoding);
        else bytes = Encoding.UTF8.GetBytes(TextFiles.Decode(file, number, offset, bytes.Span, encoding));
        JsonDocument row;
        try
        {
            row = JsonDocument.Parse(bytes);
        }
        catch (JsonException error)
        {
            row = WithoutNaN(bytes.Span) is { } cured && TryParse(cured) is { } parsed ? parsed : throw CorpusException.AtRow(
                file.Name, number, $"not a JSON object: {error.Message.Split(" LineNumber:")[0]}{(Whole(bytes.Span) ? "" : Layout)}", error);
        }

        if (row.RootElement.ValueKind == JsonValueKind.Object) return row;
        var kind = row.RootElement.ValueKind;
        row.Dispose();
        throw CorpusException.AtRow(file.Name, number, $"a row must be a JSON object, not {kind}");
    }

    // Whether a row at least ends as it began: else it may be an object over several lines.
    private static bool Whole(ReadOnlySpan<byte> row) => row.Trim(" \t\r"u8) is [(byte)'{', .., (byte)'}'];

    private static JsonDocument? TryParse(byte[] bytes)
    {
        try
        {
            return JsonDocument.Parse(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // The row with null in the place of NaN, Infinity and -Infinity outside of strings; null when there are none.
    private static byte[]? WithoutNaN(ReadOnlySpan<byte> row)
    {
        var cured = new List<byte>(row.Length);
        bool inString = false, escaped = false, changed = false;
        for (var at = 0; at < row.Length; at++)
        {
            var rest = row[at..];
            var length = inString ? 0 : rest.StartsWith("NaN"u8) ? 3 : rest.StartsWith("Infinity"u8) ? 8 : rest.StartsWith("-Infinity"u8) ? 9 : 0;
            if (length > 0)
            {
                cured.AddRange("null"u8);
                at += length - 1;
                changed = true;
                continue;
            }

            if (inString) (inString, escaped) = (escaped || row[at] != '"', !escaped && row[at] == '\\');
            else inString = row[at] == '"';
            cured.Add(row[at]);
        }

        return changed ? [.. cured] : null;
    }

    private RawRow Take(JsonElement row, SourceFile file, long number)
    {
        var where = $"{file.Name}({number})";
        var names = row.EnumerateObject().Select(property => property.Name).ToArray();
        var textField = Path(row, fields.Text, "text", names, where) ?? fields.TextAmong(names, where);
        var labelField = Path(row, fields.Label, "label", names, where) ?? fields.LabelAmong(names, where);
        var idField = Path(row, fields.Id, "id", names, where) ?? fields.IdAmong(names, where);
        foreach (var used in new[] { textField, labelField, idField })
            if (names.Count(name => name == used) > 1) throw CorpusException.AtRow(file.Name, number, $"two fields of the row have one name ('{used}'): which is meant?");
        if (Used is null or { Label: null }) Used = new UsedFields(textField, labelField, names);
        var text = At(row, textField)!.Value;
        if (text.ValueKind != JsonValueKind.String) throw CorpusException.AtRow(file.Name, number, $"the text is {text.ValueKind}, not a string{NoText(text.ValueKind)}");
        return new RawRow(
            number,
            idField is null ? null : Scalar(At(row, idField), "id", idField, file, number),
            String(text, file, number),
            (labelField is null ? null : Scalar(At(row, labelField), "label", labelField, file, number)) ?? file.Label);
    }

    private static string NoText(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Null => ": mend the row, or leave it out",
        JsonValueKind.Array or JsonValueKind.Object => "." + Layout + " Where the file holds columns, pandas writes rows: to_json(orient='records', lines=True)",
        _ => "; name the text's field with 'fields: { text: … }'",
    };

    // A field named by a path into the row, or null when it is no path.
    private static string? Path(JsonElement row, string? named, string role, string[] names, string where)
    {
        if (named is null || names.Contains(named) || !named.Contains('.')) return null;
        return At(row, named) is null ? throw SourceFields.Missing(role, named, names, where) : named;
    }

    private static JsonElement? At(JsonElement row, string path)
    {
        if (row.TryGetProperty(path, out var field)) return field;
        var at = row;
        foreach (var part in path.Split('.'))
        {
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(part, out var inner)) at = inner;
            else if (at.ValueKind == JsonValueKind.Array && Index(part) is { } index && index < at.GetArrayLength()) at = at[index];
            else return null;
        }

        return at;
    }

    private static int? Index(string part) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static string? Scalar(JsonElement? value, string role, string field, SourceFile file, long number) => value?.ValueKind switch
    {
        null or JsonValueKind.Null => null,
        JsonValueKind.String => String(value.Value, file, number),
        JsonValueKind.True => LabelForm.True,
        JsonValueKind.False => LabelForm.False,
        JsonValueKind.Number when value.Value.TryGetInt64(out var integer) => integer.ToString(CultureInfo.InvariantCulture),
        // 1e0 and 1.0 are 1; a fraction stays as it is written, for the label's rule to refuse.
        JsonValueKind.Number when value.Value.TryGetDecimal(out var real) && real == decimal.Truncate(real) => decimal.Truncate(real).ToString("0", CultureInfo.InvariantCulture),
        JsonValueKind.Number => value.Value.GetRawText(),
        JsonValueKind.Array => throw CorpusException.AtRow(
            file.Name, number, $"the {role} is a list, {value.Value.GetRawText()}: a row has one here; for the first of the list say 'fields: {{ {role}: {field}.0 }}'"),
        _ => throw CorpusException.AtRow(
            file.Name, number, $"the {role} is an object, neither a name nor a whole number; for a field of it say " +
            $"'fields: {{ {role}: {field}.{value.Value.EnumerateObject().Select(inner => inner.Name).FirstOrDefault() ?? "…"} }}'"),
    };

    internal static string String(JsonElement value, SourceFile file, long number)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw CorpusException.AtRow(file.Name, number, "a string holds half of a surrogate pair (\\ud800 to \\udfff), which is no text", error);
        }
    }
}
