using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ssti.Injection.Rows;

/// <summary>
/// The records of a split as JSON lines, one an injected row, in the order of the rows:
/// <c>{"id":"7","tokens":[{"token":"1999-01-31","step":0,"word":12,"offset":64,"cut":[64,11]}]}</c>; see <see cref="InjectedToken"/> for the fields. Behind the id stands
/// <c>"original-label"</c>, where the row was given another label; behind the tokens <c>"lost"</c>, those that a later step took out of the text again.
/// </summary>
public static class InjectionRecordFile
{
    /// <summary>The file of a split, beside its rows.</summary>
    public static string NameFor(string split) => $"injections.{split}.jsonl";

    /// <summary>Reads the records of a file, a row at a time.</summary>
    /// <exception cref="InjectionException">A line is not a record.</exception>
    public static IEnumerable<InjectionRecord> Read(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            yield return Parse(line, Path.GetFileName(path), number);
        }
    }

    private static InjectionRecord Parse(string line, string file, int number)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return new(json.RootElement.GetProperty("id").GetString()!, [.. json.RootElement.GetProperty("tokens").EnumerateArray().Select(token => new InjectedToken(
                token.GetProperty("step").GetInt32(),
                token.GetProperty("token").GetString()!,
                token.GetProperty("word").GetInt32(),
                token.GetProperty("offset").GetInt32(),
                token.GetProperty("cut")[0].GetInt32(),
                token.GetProperty("cut")[1].GetInt32()))])
            {
                Lost = json.RootElement.TryGetProperty("lost", out var lost) ? [.. lost.EnumerateArray().Select(token => token.GetString()!)] : [],
                OriginalLabel = json.RootElement.TryGetProperty("original-label", out var label) ? label.GetInt32() : null,
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException)
        {
            throw new InjectionException($"{file}({number}): the line is not an injection record: {error.Message}", error);
        }
    }
}

/// <summary>Writes records to a file of JSON lines; the same records give the same bytes.</summary>
public sealed class InjectionRecordWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly Utf8JsonWriter _json;

    /// <summary>Creates the file.</summary>
    public InjectionRecordWriter(string path)
    {
        _stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
        _json = new Utf8JsonWriter(_stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    /// <summary>Appends a record.</summary>
    public void Write(InjectionRecord record)
    {
        _json.WriteStartObject();
        _json.WriteString("id", record.RowId);
        if (record.OriginalLabel is { } label) _json.WriteNumber("original-label", label);
        _json.WriteStartArray("tokens");
        foreach (var token in record.Tokens)
        {
            _json.WriteStartObject();
            _json.WriteString("token", token.Token);
            _json.WriteNumber("step", token.Step);
            _json.WriteNumber("word", token.Word);
            _json.WriteNumber("offset", token.Offset);
            _json.WriteStartArray("cut");
            _json.WriteNumberValue(token.CutStart);
            _json.WriteNumberValue(token.CutLength);
            _json.WriteEndArray();
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        if (record.Lost.Count > 0)
        {
            _json.WriteStartArray("lost");
            foreach (var token in record.Lost) _json.WriteStringValue(token);
            _json.WriteEndArray();
        }

        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        _stream.WriteByte((byte)'\n');
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _json.Dispose();
        _stream.Dispose();
    }
}
