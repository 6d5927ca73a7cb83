using System.Globalization;
using System.Text;
using CsvHelper;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>TSV and CSV, with a header or without (then fields are named by their number, from 0).</summary>
internal sealed class DelimitedReader(SourceFields fields, Encoding encoding, char delimiter, bool quotes, bool header) : IRowReader
{
    public UsedFields? Used { get; private set; }

    public IEnumerable<RawRow> Read(SourceFile file, string path)
    {
        string[]? names = null;
        int text = -1, label = -1, id = -1;
        foreach (var (line, values) in Records(file, path))
        {
            if (names is null)
            {
                // A blank behind the comma of a header is no part of a name, and neither is one at its end, nor a second byte-order mark, which nobody sees.
                names = header
                    ? [.. values.Select(name => name.TrimStart('\uFEFF').Trim())]
                    : [.. Enumerable.Range(0, values.Length).Select(column => column.ToString(CultureInfo.InvariantCulture))];
                var where = $"{file.Name}({line})";
                text = Array.IndexOf(names, fields.TextAmong(names, where));
                label = Array.IndexOf(names, fields.LabelAmong(names, where));
                id = Array.IndexOf(names, fields.IdAmong(names, where));
                foreach (var used in new[] { text, label, id }.Where(used => used >= 0 && names.Count(name => name == names[used]) > 1))
                    throw CorpusException.AtRow(file.Name, line, $"two columns have one name ('{names[used]}'); if the file has no header, say 'header: false'");
                Used = new UsedFields(names[text], label < 0 ? null : names[label], names);
                if (header) continue;
            }

            if (values.Length != names.Length)
            {
                throw CorpusException.AtRow(file.Name, line, $"{values.Length} fields, but {(header ? "the header" : "the first row")} has {names.Length}" +
                    (quotes ? $"; a field that holds a '{Shown}' stands in quotes" : $"; a field must not hold a '{Shown}', unless the file's fields are quoted: 'quotes: true'"));
            }

            var name = label < 0 ? file.Label : values[label].Trim();
            yield return new RawRow(line, id < 0 ? null : values[id], values[text], name is { Length: > 0 } ? name : null);
        }
    }

    private string Shown => delimiter == '\t' ? "\\t" : delimiter.ToString();

    // The parser splits bytes: every encoding we know keeps ASCII as it is, so fields are decoded, strictly, one by one.
    private IEnumerable<(long Line, string[] Values)> Records(SourceFile file, string path)
    {
        var options = new CsvReaderOptions
        {
            Separator = delimiter,
            Mode = quotes ? CsvMode.Rfc4180 : CsvMode.NoEscape,
            HasHeader = false,
            TrackLineNumbers = true,
            MalformedData = CsvMalformedDataHandling.Throw,
        };
        using var csv = CsvReader.Create(TextFiles.Open(file, path), options, leaveOpen: false);
        while (Next(csv, file))
        {
            var values = new string[csv.FieldCount];
            for (var field = 0; field < values.Length; field++)
                values[field] = TextFiles.Decode(file, csv.LineNumber, csv.ByteOffset, csv.GetSpan(field), encoding);
            yield return (csv.LineNumber, values);
        }
    }

    private static bool Next(CsvReader csv, SourceFile file)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException error)
        {
            throw CorpusException.AtRow(file.Name, error.LineNumber,
                $"{error.Message} A field with a quote in it is written \"the \"\"best\"\" film\": "
                    + "in quotes, the inner ones doubled (pandas' to_csv and every spreadsheet do so). " +
                "Where no field of the file is in quotes, 'quotes: false' takes them as plain characters; where some are, that would break those", error);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw CorpusException.AtRow(file.Name, csv.RowNumber + 1, $"cannot be read: {error.Message} Is the file cut short, or not what its name says?", error);
        }
    }
}
