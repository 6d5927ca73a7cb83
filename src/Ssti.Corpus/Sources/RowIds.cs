using System.Text;
using System.Text.Json;
using CsvHelper;

namespace Ssti.Corpus.Sources;

/// <summary>Rows that somebody named by their ids: a CSV with a column <c>id</c>, or JSON lines with a field of that name.</summary>
public static class RowIds
{
    private const string Id = "id", Split = "split", Why = "why";

    /// <summary>Reads the ids of a split: where the file says of which split a row is (<c>split</c>), others are passed over.</summary>
    /// <param name="path">The file; what ends in .csv is CSV, all else JSON lines.</param>
    /// <param name="split">The split.</param>
    /// <param name="why">Only the rows of which the file says so (<c>why</c>); null for all.</param>
    /// <param name="title">What messages call the file.</param>
    /// <exception cref="CorpusException">It is neither, or names no ids; says the row.</exception>
    public static IReadOnlySet<string> Read(string path, string split, string? why, string title)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (row, get) in title.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? Csv(path, title) : Lines(path, title))
        {
            var id = get(Id) ?? throw CorpusException.AtRow(title, row, $"names no row: give each one's '{Id}'");
            if (why is not null && get(Why) is null) throw CorpusException.AtRow(title, row, $"does not say '{Why}' the row stands there, and those of '{why}' were asked for");
            if ((get(Split) ?? split) == split && (why is null || get(Why) == why)) ids.Add(id);
        }

        return ids;
    }

    private static IEnumerable<(long Row, Func<string, string?> Get)> Lines(string path, string title)
    {
        foreach (var (index, line) in File.ReadLines(path).Index())
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            Dictionary<string, string> fields;
            try
            {
                using var json = JsonDocument.Parse(line);
                fields = json.RootElement.EnumerateObject().ToDictionary(field => field.Name, field => Text(field.Value));
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
            {
                throw CorpusException.AtRow(title, index + 1, $"is no JSON object: {error.Message}", error);
            }

            yield return (index + 1, fields.GetValueOrDefault);
        }
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static IEnumerable<(long Row, Func<string, string?> Get)> Csv(string path, string title)
    {
        using var csv = CsvReader.Create(File.OpenRead(path), new CsvReaderOptions
        {
            Separator = ',', Mode = CsvMode.Rfc4180, HasHeader = false, TrackLineNumbers = true, MalformedData = CsvMalformedDataHandling.Throw,
        }, leaveOpen: false);
        string[]? names = null;
        while (Next(csv, title))
        {
            string[] values = [.. Enumerable.Range(0, csv.FieldCount).Select(field => Encoding.UTF8.GetString(csv.GetSpan(field)))];
            if (names is null)
            {
                names = [.. values.Select(name => name.Trim().TrimStart('\uFEFF'))];
                if (!names.Contains(Id)) throw CorpusException.AtRow(title, 1, $"there is no column '{Id}'; there are: {string.Join(", ", names)}");
                continue;
            }

            if (values.Length != names.Length) throw CorpusException.AtRow(title, csv.LineNumber, $"{values.Length} fields, but the header has {names.Length}");
            var columns = names;
            yield return (csv.LineNumber, name => Array.IndexOf(columns, name) is >= 0 and var at ? values[at] : null);
        }
    }

    private static bool Next(CsvReader csv, string title)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException error)
        {
            throw CorpusException.AtRow(title, error.LineNumber, error.Message, error);
        }
    }
}
