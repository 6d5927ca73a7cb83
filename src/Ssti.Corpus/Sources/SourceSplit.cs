using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>A split as the source has it: its files, fetched, and what a first reading found in them.</summary>
internal sealed class SourceSplit(string name, IReadOnlyList<(SourceFile File, string Path)> files, ImportOptions options)
{
    private readonly Dictionary<SourceFile, (long Rows, long Unlabelled, UsedFields? Used)> _found = [];
    private readonly LabelForm _form = new(options.Labels);

    /// <summary>What the source calls it.</summary>
    public string Name => name;

    /// <summary>Rows with a label.</summary>
    public int Labelled { get; private set; }

    /// <summary>Rows in all.</summary>
    public int Rows { get; private set; }

    /// <summary>The labels that occur, each in its one form, and how often.</summary>
    public Dictionary<string, long> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>What stands in the place of a label where it is none: nothing (<c>""</c>), <c>-1</c>, <c>nan</c>; and how often.</summary>
    public SortedDictionary<string, long> NoLabels { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows whose text is empty or white space.</summary>
    public int Empty { get; private set; }

    /// <summary>Rows of TSV whose text stands in quotes that were taken as they stand, and how many of them hold doubled quotes.</summary>
    public (int Rows, int Doubled) Quoted { get; private set; }

    /// <summary>Whether every row has an id of the source's that no other has.</summary>
    public bool HasOwnIds { get; private set; } = true;

    /// <summary>The label names the files prescribe, if any.</summary>
    public IReadOnlyList<string>? PrescribedLabels => files.Count == 0 ? null : Reader(files[0].File).LabelNames(files[0].File, files[0].Path);

    /// <summary>The field that the labels come from, or null in formats without fields.</summary>
    public string? LabelField => _found.Values.Select(found => found.Used?.Label).FirstOrDefault(label => label is not null);

    /// <summary>Reads everything once: counts, labels, ids. Breaks on the first bad row.</summary>
    public void Survey(Action<long> progress, CancellationToken cancellation)
    {
        // An id costs 24 bytes here whatever its length: a 128-bit digest cannot collide by chance.
        var seen = new Dictionary<UInt128, int>();
        foreach (var (file, path) in files)
        {
            long rows = 0, unlabelled = 0;
            TextFiles.RequireData(file, path);
            var reader = Reader(file);
            foreach (var row in reader.Read(file, path))
            {
                if ((++Rows & 1023) == 0) progress(Rows);
                cancellation.ThrowIfCancellationRequested();
                rows++;
                NoteText(row.Text, file);
                if (_form.ClassOf(row.Label, file, row.Number) is { } label)
                {
                    LabelNames.Count(Labels, label, file, row.Number);
                }
                else
                {
                    unlabelled++;
                    var none = row.Label is null ? "" : LabelForm.Of(row.Label);
                    NoLabels[none] = NoLabels.GetValueOrDefault(none) + 1;
                }

                if (HasOwnIds) NoteId(row, file, seen);
            }

            if (rows == 0) throw new CorpusException($"{file.Name} has no rows: is it empty, or cut short?");
            _found[file] = (rows, unlabelled, reader.Used);
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
                var label = withoutLabels ? Row.Unlabelled : labels.Of(row.Label, file, row.Number);
                if (label is null) continue;
                yield return new Row(ownIds ? row.Id! : $"{name}-{number}", Cut(row.Text), label.Value);
            }
        }
    }

    // All that stands before the first word too many: white space between words stays.
    private string Cut(string text)
    {
        if (options.Words is not { } most) return text;
        var (words, end) = (0, 0);
        foreach (var word in new WordRanges(text))
        {
            if (words++ == most) return text[..end];
            end = word.End.Value;
        }

        return text;
    }

    /// <summary>Why no row has a label, and what to do.</summary>
    public CorpusException NoLabel(string title)
    {
        foreach (var (file, found) in _found)
            if (found.Used is { Label: null } used && file.Label is null)
                return SourceFields.Missing("label", null, used.All, file.Name, "; or take the split as text with 'unlabelled-splits'");
        var text = files.All(file => file.File.Format == SourceFormat.Fasttext);
        return new(
            $"{title}: no row of '{name}' has a label{(NoLabels.Keys.Any(none => none.Length > 0) ? $" ({Dropped})" : "")}; " +
            (text ? "a line of a text file has one in fastText's form, '__label__x text'; " +
                "for Financial PhraseBank say 'format: phrasebank'. For a table say 'format: tsv' or 'format: csv'. Or take"
                : NoLabels.Keys.Any(LabelForm.IsBelowZero) ? "a number below 0 is no label unless 'labels' lists it. Or take" : "take") +
            " it as text with 'unlabelled-splits', or leave it out");
    }

    /// <summary>The rows without a label, in words.</summary>
    public string Dropped => string.Join(", ", NoLabels.Take(5).Select(none => $"{none.Value} with {(none.Key.Length == 0 ? "none" : $"'{none.Key}'")}"))
        + (NoLabels.Count > 5 ? ", …" : "");

    /// <summary>What the log says of the files: a line a file, or one for all texts of a folder.</summary>
    public IEnumerable<string> Tell(string role)
    {
        foreach (var group in files.Select(file => file.File).GroupBy(file => file.Format == SourceFormat.Folder ? file.Name[..file.Name.LastIndexOf('/')] + "/*" : file.Name))
        {
            var (rows, unlabelled) = (group.Sum(file => _found[file].Rows), group.Sum(file => _found[file].Unlabelled));
            var first = group.First();
            var fields = _found[first].Used is { } used
                ? $", the text in '{used.Text}', "
                    + $"{(used.Label is { } label ? $"the label in '{label}'" : first.Label is { } named ? $"the label '{named}' from the file's name" : "no label")}"
                : first.Label is { } said ? $", label '{said}'" : "";
            yield return $"{group.Key}: {role}; {FileKinds.NameOf(first.Format)}, {Amount.Rows(rows)}{(unlabelled > 0 ? $" ({unlabelled} without a label)" : "")}{fields}";
        }
    }

    /// <summary>What the provenance says of the files.</summary>
    public IEnumerable<JsonObject> Describe(Func<string, string> nameOf)
    {
        foreach (var (file, path) in files)
        {
            using var stream = File.OpenRead(path);
            var described = new JsonObject
            {
                ["split"] = name,
                ["file"] = nameOf(file.Name),
                ["format"] = FileKinds.NameOf(file.Format),
                ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(stream)),
                ["rows"] = _found[file].Rows,
                ["without-label"] = _found[file].Unlabelled,
            };
            if (file.Format != SourceFormat.Parquet) described.Insert(3, "encoding", EncodingOf(file).WebName);
            yield return described;
        }
    }

    private void NoteText(string text, SourceFile file)
    {
        if (string.IsNullOrWhiteSpace(text)) Empty++;
        if (file.Format != SourceFormat.Tsv || options.Quotes is not null || text is not ['"', .. var inner, '"']) return;
        Quoted = (Quoted.Rows + 1, Quoted.Doubled + (inner.Contains("\"\"", StringComparison.Ordinal) ? 1 : 0));
    }

    private void NoteId(RawRow row, SourceFile file, Dictionary<UInt128, int> seen)
    {
        if (row.Id is null)
        {
            if (options.Fields.Id is { } field) throw CorpusException.AtRow(file.Name, row.Number, $"no id in '{field}'");
            HasOwnIds = false;
            return;
        }

        var digest = TextDigest.Of(row.Id);
        if (seen.TryAdd(digest, Rows)) return;
        if (options.Fields.Id is not null)
            throw CorpusException.AtRow(file.Name, row.Number, $"the id '{row.Id}' is that of row {seen[digest]} of '{name}' too; leave 'fields.id' out to number the rows");
        HasOwnIds = false;
    }

    private IRowReader Reader(SourceFile file) => RowReaders.Of(file, options);

    private Encoding EncodingOf(SourceFile file) => RowReaders.EncodingOf(file, options);
}
