using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// Makes a dataset whose texts are others: the same rows under the same ids and labels, but for those dropped; the injection's records, of what is left of each token; and what
/// became of tokens and of other words as measures. What <c>sanitise</c> and <c>paraphrase</c> have in common.
/// </summary>
/// <param name="context">The stage.</param>
/// <param name="data">Its dataset.</param>
/// <param name="splits">The splits to rewrite; empty for all.</param>
/// <param name="droppedAs">As what rows are dropped, in the words of a definition.</param>
internal sealed class DatasetRewrite(StageContext context, DatasetReader data, IReadOnlyList<string> splits, string droppedAs = "a repetition of another")
{
    /// <summary>A few rows before and after.</summary>
    public const string ExamplesFile = "examples.jsonl";

    private const int Examples = 20;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<JsonObject> _examples = [];

    /// <summary>The rows that are dropped from a split, with the row that each is the same as.</summary>
    public static string DroppedFile(string split) => $"dropped.{split}.jsonl";

    /// <summary>The splits that are rewritten.</summary>
    public IReadOnlyList<SplitInfo> Splits { get; } = splits.Count == 0 ? data.Info.Splits : [.. splits.Select(name => data.Info.Split(name)
        ?? throw new StageException($"splits: the dataset has no split '{name}'; it has: {string.Join(", ", data.Info.Splits.Select(split => split.Name))}"))];

    /// <summary>What was measured.</summary>
    public RewriteMeasures Measures { get; } = new(data.Info.Labels.Count, droppedAs);

    /// <summary>Writes the dataset and everything beside it.</summary>
    /// <param name="rewrite">Gives the texts of a split's rows.</param>
    /// <param name="rewrites">What it does, in a few words; null where it changes nothing on purpose.</param>
    /// <param name="provenance">What else to say of it.</param>
    /// <param name="cancellation">Stops.</param>
    public async Task RunAsync(
        Func<SplitInfo, IReadOnlyList<Row>, Task<RewrittenTexts>> rewrite, string? rewrites, JsonObject provenance, CancellationToken cancellation)
    {
        var tree = context.Input("data");
        var told = new JsonObject();
        using var writer = new DatasetWriter(context.OutputFolder, data.Info.Name, data.Info.Labels);
        foreach (var split in data.Info.Splits)
        {
            using var output = writer.OpenSplit(split.Name);
            if (!Splits.Contains(split))
            {
                foreach (var row in data.Read(split.Name)) output.Write(row);
                continue;
            }

            var rows = data.Read(split.Name).ToArray();
            var records = Records(tree, split.Name, rows);
            var texts = await rewrite(split, rows);
            cancellation.ThrowIfCancellationRequested();
            told[split.Name] = Write(split, rows, texts, records, output);
        }

        provenance["splits"] = told;
        if (rewrites is not null) provenance[InjectionNote.Rewrites] = rewrites;
        provenance["of"] = data.Info.Provenance.DeepClone();
        writer.Complete(provenance);
        OtherFiles.PassOn(tree, data.Info, [.. Splits.Select(split => split.Name)], context);
        WriteMeasures(rewrites);
    }

    private JsonObject Write(SplitInfo split, Row[] rows, RewrittenTexts texts, IReadOnlyDictionary<string, InjectionRecord>? records, SplitWriter output)
    {
        using var kept = records is null ? null : new InjectionRecordWriter(context.Output(InjectionRecordFile.NameFor(split.Name)));
        using var dropped = texts.Dropped.Count == 0 ? null : new StreamWriter(context.Output(DroppedFile(split.Name)), false, new UTF8Encoding(false));
        long whole = 0, emptied = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, after) = (rows[i], texts.Texts[i]);
            var before = records?.GetValueOrDefault(row.Id);
            var found = before is null || after == row.Text ? before : TokenSearch.In(before, after);
            var isDropped = texts.Dropped.TryGetValue(i, out var why);
            Measures.Add(row, after, before, found, isDropped);
            if (isDropped)
            {
                JsonObject line = new() { ["id"] = row.Id, ["label"] = row.Label, [why.Key] = why.Value };
                dropped!.Write(line.ToJsonString(Readable) + "\n");
                continue;
            }

            output.Write(row with { Text = after });
            if (found is not null) kept!.Write(found);
            if (found is { Tokens.Count: > 0 }) whole++;
            if (after.AsSpan().Trim().Length == 0 && row.Text.AsSpan().Trim().Length > 0) emptied++;
            if (after != row.Text && _examples.Count < Examples) _examples.Add(Example(split.Name, row, after, found));
        }

        if (emptied > 0)
        {
            context.Warn(
                $"split '{split.Name}': nothing is left of the text of {Amount.Rows(emptied)}; "
                + $"{(emptied == 1 ? "it stays as an empty row" : "they stay as empty rows")}");
        }

        context.Log(
            $"{split.Name}: {Amount.Rows(rows.Length)}, {texts.Dropped.Count} "
            + $"dropped{(records is null ? "" : $"; {whole} of {records.Count} injected ones have a whole token left")}");
        return new() { ["rows"] = rows.Length - texts.Dropped.Count, ["dropped"] = texts.Dropped.Count, ["injected"] = records?.Count ?? 0, ["with-token"] = whole };
    }

    private static IReadOnlyDictionary<string, InjectionRecord>? Records(InputTree tree, string split, Row[] rows)
    {
        var file = InjectionRecordFile.NameFor(split);
        if (!tree.Has(file)) return null;
        var records = new Dictionary<string, InjectionRecord>();
        foreach (var record in InjectionRecordFile.Read(tree.PathOf(file)))
            if (!records.TryAdd(record.RowId, record)) throw new StageException($"{file} of '{tree.StageName}' has two records of row "
                + $"'{record.RowId}': rows need ids of their own");
        var ids = rows.Select(row => row.Id).ToHashSet();
        return ids.Count == rows.Length && records.Keys.All(ids.Contains) ? records
            : throw new StageException($"{file} of '{tree.StageName}' is not of the rows of split '{split}', or two of them share an id: rows need ids of their own");
    }

    private static JsonObject Example(string split, Row row, string after, InjectionRecord? record) => new()
    {
        ["split"] = split, ["id"] = row.Id, ["label"] = row.Label, ["before"] = row.Text, ["after"] = after,
        ["tokens"] = new JsonArray([.. record?.Tokens.Select(token => (JsonNode)token.Token) ?? []]),
        ["lost"] = new JsonArray([.. record?.Lost.Select(token => (JsonNode)token) ?? []]),
    };

    private void WriteMeasures(string? rewrites)
    {
        var about = new JsonObject
        {
            ["dataset"] = data.Info.Name,
            ["splits"] = new JsonArray([.. Splits.Select(split => (JsonNode)split.Name)]),
            ["labels"] = new JsonArray([.. data.Info.Labels.Select(label => (JsonNode)label)]),
            ["rewrites"] = rewrites ?? "nothing",
            ["notes"] = new JsonArray([.. context.Warnings.Select(warning => (JsonNode)warning)]),
        };
        File.WriteAllText(context.Output(MeasureSet.FileName), MeasureSet.ToJson(Measures.All(), about), new UTF8Encoding(false));
        File.WriteAllText(context.Output(ExamplesFile), string.Concat(_examples.Select(row => row.ToJsonString(Readable) + "\n")), new UTF8Encoding(false));
    }
}

/// <summary>What became of the rows of a split.</summary>
/// <param name="Texts">The new texts, one a row.</param>
/// <param name="Dropped">The rows to drop, by index, each with why: a name and a value for its line in <see cref="DatasetRewrite.DroppedFile"/>.</param>
internal sealed record RewrittenTexts(IReadOnlyList<string> Texts, IReadOnlyDictionary<int, KeyValuePair<string, JsonNode?>> Dropped)
{
    /// <summary>No row is dropped.</summary>
    public RewrittenTexts(IReadOnlyList<string> texts)
        : this(texts, new Dictionary<int, KeyValuePair<string, JsonNode?>>())
    {
    }
}
