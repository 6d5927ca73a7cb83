using System.Text;
using System.Text.Json;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>A JSON object a line; a row of CommonsenseQA is recognised when it is asked for or the first row looks like one.</summary>
internal sealed class JsonLinesReader(SourceFields fields, Encoding encoding, bool commonsenseQa) : IRowReader
{
    public IReadOnlyList<string>? LabelNames(SourceFile file, string path) =>
        IsCommonsenseQa(file, path) ? CommonsenseQa.Labels : null;

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        var questions = IsCommonsenseQa(file, path);
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
        {
            if (bytes.Span.Trim(" \t"u8).IsEmpty) continue;
            using var row = Parse(file, number, offset, bytes);
            yield return questions ? CommonsenseQa.Join(row.RootElement, file, number) : Take(row.RootElement, file, number);
        }
    }

    private bool IsCommonsenseQa(SourceFile file, string path)
    {
        if (commonsenseQa) return true;
        if (fields.Text is not null) return false;
        foreach (var (number, offset, bytes) in TextFiles.Lines(file, path))
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
            throw CorpusException.AtRow(file.Name, number, $"not a JSON object: {error.Message}", error);
        }

        if (row.RootElement.ValueKind == JsonValueKind.Object) return row;
        var kind = row.RootElement.ValueKind;
        row.Dispose();
        throw CorpusException.AtRow(file.Name, number, $"a row must be a JSON object, not {kind}");
    }

    private RawRow Take(JsonElement row, SourceFile file, long number)
    {
        var where = $"{file.Name}({number})";
        var names = row.EnumerateObject().Select(property => property.Name).ToArray();
        var text = row.GetProperty(fields.TextAmong(names, where));
        if (text.ValueKind != JsonValueKind.String) throw CorpusException.AtRow(file.Name, number, $"the text is {text.ValueKind}, not a string");
        var label = fields.LabelAmong(names, where) is { } labelField ? row.GetProperty(labelField) : (JsonElement?)null;
        var id = fields.IdAmong(names, where) is { } idField ? row.GetProperty(idField) : (JsonElement?)null;
        return new RawRow(number, Scalar(id, "id", file, number), String(text, file, number), Scalar(label, "label", file, number) ?? file.Label);
    }

    private static string? Scalar(JsonElement? value, string role, SourceFile file, long number) => value?.ValueKind switch
    {
        null or JsonValueKind.Null => null,
        JsonValueKind.String => String(value.Value, file, number),
        JsonValueKind.Number when value.Value.TryGetInt64(out var integer) => integer.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw CorpusException.AtRow(file.Name, number, $"the {role} is {value.Value.GetRawText()}, neither a string nor a whole number"),
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
