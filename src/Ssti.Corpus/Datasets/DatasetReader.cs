using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Datasets;

/// <summary>Reads a dataset as <see cref="DatasetWriter"/> writes it. Rows are streamed: memory is that of the longest row.</summary>
public sealed class DatasetReader
{
    private readonly Func<string, string> _pathOf;

    private DatasetReader(DatasetInfo info, Func<string, string> pathOf)
    {
        Info = info;
        _pathOf = pathOf;
    }

    /// <summary>What <c>dataset.json</c> says.</summary>
    public DatasetInfo Info { get; }

    /// <summary>Opens a dataset whose files lie wherever a function says, as the outputs of stages do.</summary>
    /// <param name="pathOf">From a file of the dataset, such as <c>train.jsonl</c>, to its path.</param>
    /// <exception cref="CorpusException"><c>dataset.json</c> is absent or not one.</exception>
    public static DatasetReader Open(Func<string, string> pathOf)
    {
        var path = pathOf(DatasetInfo.FileName);
        try
        {
            using var stream = File.OpenRead(path);
            return new DatasetReader(Parse(JsonNode.Parse(stream)!), pathOf);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new CorpusException($"{DatasetInfo.FileName} is not a dataset's description: {error.Message}", error);
        }
        catch (IOException error)
        {
            throw new CorpusException($"cannot open {DatasetInfo.FileName}: {error.Message}", error);
        }
    }

    /// <summary>Opens a dataset in a folder.</summary>
    /// <exception cref="CorpusException"><c>dataset.json</c> is absent or not one.</exception>
    public static DatasetReader OpenFolder(string folder) => Open(file => Path.Combine(folder, file));

    /// <summary>The rows of a split, in order.</summary>
    /// <exception cref="CorpusException">
    /// There is no such split (thrown at once), or, while reading: a line is no row, a label is out of range, or the number of rows is not
    /// the one in <c>dataset.json</c>.
    /// </exception>
    public IEnumerable<Row> Read(string split)
    {
        var info = Info.Split(split) ?? throw new CorpusException(
            $"the dataset '{Info.Name}' has no split '{split}'; it has: {string.Join(", ", Info.Splits.Select(one => one.Name))}");
        return Stream(info);
    }

    private IEnumerable<Row> Stream(SplitInfo split)
    {
        // The scanner has a buffer of its own.
        using var lines = new LineScanner(new FileStream(_pathOf(split.File), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0));
        while (lines.TryRead(out var line)) yield return ParseRow(line.Span, split, lines.Line);
        if (lines.Line != split.Rows)
            throw new CorpusException($"{split.File} has {lines.Line} rows, but {DatasetInfo.FileName} says {split.Rows}");
    }

    private Row ParseRow(ReadOnlySpan<byte> line, SplitInfo split, long number)
    {
        string? id = null, text = null;
        int? label = null;
        try
        {
            var json = new Utf8JsonReader(line);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject) throw CorpusException.AtRow(split.File, number, "the row is not a JSON object");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"u8)) { json.Read(); id = json.GetString(); }
                else if (json.ValueTextEquals("text"u8)) { json.Read(); text = json.GetString(); }
                else if (json.ValueTextEquals("label"u8)) { json.Read(); label = json.GetInt32(); }
                else { json.Read(); json.Skip(); }
            }

            // Anything after the object makes this throw.
            json.Read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw CorpusException.AtRow(split.File, number, $"the row is not valid: {error.Message}", error);
        }

        if (id is null || text is null || label is null)
            throw CorpusException.AtRow(split.File, number, "the row needs \"id\" and \"text\" (strings) and \"label\" (a number)");
        if (label < Row.Unlabelled || label >= Info.Labels.Count)
            throw CorpusException.AtRow(split.File, number, $"row '{id}' has label {label}, but the labels are 0 to {Info.Labels.Count - 1}");
        return new Row(id, text, label.Value);
    }

    private static DatasetInfo Parse(JsonNode json) => new(
        json["name"]!.GetValue<string>(),
        [.. json["labels"]!.AsArray().Select(label => label!.GetValue<string>())],
        [.. json["splits"]!.AsArray().Select(split => new SplitInfo(
            split!["name"]!.GetValue<string>(),
            split["file"]!.GetValue<string>(),
            split["rows"]!.GetValue<long>(),
            [.. split["counts"]!.AsArray().Select(count => count!.GetValue<long>())]))],
        (JsonObject)json["provenance"]!.DeepClone());
}
