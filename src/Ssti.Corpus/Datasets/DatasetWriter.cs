using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Datasets;

/// <summary>
/// Writes a dataset folder, a row at a time. The same rows give the same bytes on every machine: UTF-8 without a mark, LF, fields in the
/// order id, text, label, and nothing escaped but the quote, the backslash and control characters below U+0020.
/// </summary>
/// <remarks>Not safe against a crash half-way: <c>dataset.json</c> is written last, so a folder without it is not a dataset.</remarks>
public sealed class DatasetWriter : IDisposable
{
    private readonly string _folder;
    private readonly string _name;
    private readonly string[] _labels;
    private readonly List<SplitInfo> _splits = [];
    private SplitWriter? _open;

    /// <summary>Starts a dataset in a folder, which is made when absent.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="name">The name of the data, such as <c>imdb</c>.</param>
    /// <param name="labels">The label names, in the order of their numbers.</param>
    public DatasetWriter(string folder, string name, IEnumerable<string> labels)
    {
        _folder = folder;
        _name = name;
        _labels = [.. labels];
        Directory.CreateDirectory(folder);
    }

    /// <summary>Starts the next split; it must be disposed before another is started or the dataset is completed.</summary>
    /// <param name="name">Letters, digits, '-' and '_', such as <c>train</c>: it is also the file's name.</param>
    public SplitWriter OpenSplit(string name)
    {
        if (_open is not null) throw new InvalidOperationException($"split '{_open.Name}' is still open");
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw new CorpusException($"'{name}' cannot name a split: use letters, digits, '-' and '_'");
        if (_splits.Any(split => split.Name == name)) throw new CorpusException($"there are two splits named '{name}'");
        return _open = new SplitWriter(_folder, name, _labels, Close);
    }

    /// <summary>Writes <c>dataset.json</c> and returns what it says.</summary>
    /// <param name="provenance">Where the rows came from and what was done to them; no paths and no times, which would change its bytes.</param>
    public DatasetInfo Complete(JsonObject provenance)
    {
        if (_open is not null) throw new InvalidOperationException($"split '{_open.Name}' is still open");
        var info = new DatasetInfo(_name, _labels, [.. _splits], provenance);
        using var stream = File.Create(Path.Combine(_folder, DatasetInfo.FileName));
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteString("name", info.Name);
            WriteStrings(json, "labels", info.Labels);
            json.WriteStartArray("splits");
            foreach (var split in info.Splits) Write(json, split);
            json.WriteEndArray();
            json.WritePropertyName("provenance");
            provenance.WriteTo(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return info;
    }

    /// <summary>Closes a split left open.</summary>
    public void Dispose() => _open?.Dispose();

    private void Close(SplitInfo split)
    {
        _open = null;
        _splits.Add(split);
    }

    private static void Write(Utf8JsonWriter json, SplitInfo split)
    {
        json.WriteStartObject();
        json.WriteString("name", split.Name);
        json.WriteString("file", split.File);
        json.WriteNumber("rows", split.Rows);
        json.WriteStartArray("counts");
        foreach (var count in split.Counts) json.WriteNumberValue(count);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}

/// <summary>Writes the rows of one split and counts them.</summary>
public sealed class SplitWriter : IDisposable
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _file;
    private readonly string[] _labels;
    private readonly long[] _counts;
    private readonly Action<SplitInfo> _closed;
    private readonly FileStream _stream;
    private readonly StringBuilder _line = new();
    private byte[] _bytes = new byte[4096];
    private bool _disposed;

    internal SplitWriter(string folder, string name, string[] labels, Action<SplitInfo> closed)
    {
        Name = name;
        _file = name + ".jsonl";
        _labels = labels;
        _counts = new long[labels.Length];
        _closed = closed;
        _stream = new FileStream(Path.Combine(folder, _file), FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
    }

    /// <summary>The name of the split.</summary>
    public string Name { get; }

    /// <summary>Rows written so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Appends a row.</summary>
    /// <exception cref="CorpusException">
    /// The label is out of range, the split mixes labelled and unlabelled rows, or the text holds half of a surrogate pair.
    /// </exception>
    public void Write(Row row)
    {
        if (row.Label < Row.Unlabelled || row.Label >= _labels.Length)
            throw CorpusException.AtRow(_file, Rows + 1, $"row '{row.Id}' has label {row.Label}, but the labels are 0 to {_labels.Length - 1}");
        if (Rows > 0 && row.Label < 0 != (_counts.Sum() == 0))
            throw CorpusException.AtRow(_file, Rows + 1, $"row '{row.Id}': a split is either labelled in every row or in none");
        if (row.Label >= 0) _counts[row.Label]++;
        Rows++;

        _line.Clear().Append("{\"id\":");
        Append(row.Id);
        _line.Append(",\"text\":");
        Append(row.Text);
        _line.Append(",\"label\":").Append(row.Label).Append("}\n");
        Flush(row);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _stream.Dispose();
        _closed(new SplitInfo(Name, _file, Rows, _counts));
    }

    private void Append(string text)
    {
        _line.Append('"');
        var rest = text.AsSpan();
        while (true)
        {
            var at = rest.IndexOfAny(MustEscape);
            if (at < 0) break;
            _line.Append(rest[..at]);
            _ = rest[at] switch
            {
                '"' => _line.Append("\\\""),
                '\\' => _line.Append("\\\\"),
                '\n' => _line.Append("\\n"),
                '\r' => _line.Append("\\r"),
                '\t' => _line.Append("\\t"),
                var control => _line.Append("\\u").Append(((int)control).ToString("x4")),
            };
            rest = rest[(at + 1)..];
        }

        _line.Append(rest).Append('"');
    }

    private static readonly System.Buffers.SearchValues<char> MustEscape =
        System.Buffers.SearchValues.Create(string.Concat(Enumerable.Range(0, 0x20).Select(code => (char)code)) + "\"\\");

    private void Flush(Row row)
    {
        // A chunk of a StringBuilder may end inside a surrogate pair, so the line is encoded from one copy.
        var chars = System.Buffers.ArrayPool<char>.Shared.Rent(_line.Length);
        try
        {
            _line.CopyTo(0, chars, _line.Length);
            var needed = Strict.GetMaxByteCount(_line.Length);
            if (_bytes.Length < needed) _bytes = new byte[needed];
            var count = Strict.GetBytes(chars.AsSpan(0, _line.Length), _bytes);
            _stream.Write(_bytes, 0, count);
        }
        catch (EncoderFallbackException error)
        {
            throw CorpusException.AtRow(_file, Rows, $"row '{row.Id}' holds half of a surrogate pair, which UTF-8 cannot store: mend the source", error);
        }
        finally
        {
            System.Buffers.ArrayPool<char>.Shared.Return(chars);
        }
    }
}
