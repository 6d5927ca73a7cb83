using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Report;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>Reads out of the outputs of stages what a report shows. What an output is, its files say, whichever kind left them.</summary>
/// <param name="rows">Injected rows of each split.</param>
public sealed class ReportParts(int rows)
{
    /// <summary>Why a dataset is not shown.</summary>
    public const string TooMany = "its rows are not shown: of the injected datasets a report takes the first cell of each stage, then others, twelve in all";

    private const int MostDatasets = 12;

    private static readonly string[] Files = [ClaimStage.JsonFile, TableStage.JsonFile, MetricsFile.FileName, MeasureSet.FileName];

    private readonly List<ReportPart<Claim>> _claims = [];
    private readonly List<ReportPart<Table>> _tables = [];
    private readonly List<ReportPart<ReportFigure>> _figures = [];
    private readonly List<ReportPart<AttendedText>> _attention = [];
    private readonly List<ReportPart<InjectedSplit>> _injected = [];
    private readonly List<MeasureSet> _measures = [];
    private readonly List<ReportNote> _doubts = [];
    private readonly Dictionary<string, string> _numerics = [];

    /// <summary>What makes evaluations doubtful, in their own words.</summary>
    public IReadOnlyList<ReportNote> Doubts => _doubts;

    /// <summary>What an evaluation was computed with; null where its output does not say.</summary>
    public string? NumericsOf(string stage) => _numerics.GetValueOrDefault(stage);

    /// <summary>Of the files of an output those that a report reads.</summary>
    /// <param name="uses">The kind that left them: other kinds may have examples of another form.</param>
    /// <param name="files">Their names.</param>
    /// <param name="rows">Whether injected rows are shown.</param>
    public static IReadOnlyList<string> FilesOf(string uses, IReadOnlyCollection<string> files, bool rows)
    {
        List<string> found = [.. Files.Where(files.Contains)];
        if (files.Contains(FigureStage.JsonFile) && files.Contains(FigureStage.SvgFile)) found.AddRange([FigureStage.JsonFile, FigureStage.SvgFile]);
        if (uses == "attention" && files.Contains(AttentionStage.ExamplesFile)) found.Add(AttentionStage.ExamplesFile);
        if (rows && IsInjected(files))
            found.AddRange([DatasetInfo.FileName, .. Splits(files).SelectMany(split => new[] { InjectionRecordFile.NameFor(split), RowsOf(split) })]);
        return found;
    }

    /// <summary>Whether an output is a dataset with records of what was injected.</summary>
    public static bool IsInjected(IReadOnlyCollection<string> files) => files.Contains(DatasetInfo.FileName) && Splits(files).Any();

    /// <summary>The injected datasets whose rows are shown: the first cell of each stage, then the second of each, and so on.</summary>
    public static IReadOnlySet<T> FirstDatasets<T>(IEnumerable<T> outputs, Func<T, (string Stage, IReadOnlyCollection<string> Files)> of) => outputs
        .Where(output => IsInjected(of(output).Files)).GroupBy(output => of(output).Stage.Split('@')[0])
        .SelectMany(cells => cells.Index()).OrderBy(cell => cell.Index).Take(MostDatasets).Select(cell => cell.Item).ToHashSet();

    /// <summary>Takes up what an output holds.</summary>
    /// <param name="tree">The output.</param>
    /// <param name="files">Of its files those to read, as <see cref="FilesOf"/> names them.</param>
    /// <exception cref="StageException">One of them is not what its name says.</exception>
    public void Add(InputTree tree, IReadOnlyList<string> files)
    {
        foreach (var file in files)
        {
            try
            {
                Read(tree, file);
            }
            catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException
                or ArgumentException or CorpusException or InjectionException)
            {
                throw new StageException($"the {file} of '{tree.StageName}' cannot be shown: {error.Message}", error);
            }
        }
    }

    /// <summary>The page with all that was taken up on it.</summary>
    public ReportPage On(ReportPage page) => page with
    {
        Claims = _claims, Tables = _tables, Figures = _figures, Attention = _attention, Injected = _injected, Measures = _measures,
    };

    private void Read(InputTree tree, string file)
    {
        switch (file)
        {
            case ClaimStage.JsonFile: _claims.Add(Part(ClaimText.FromJson(Text(file)))); break;
            case TableStage.JsonFile: _tables.Add(Part(Table.FromJson(Text(file)))); break;
            case FigureStage.JsonFile: _figures.Add(Part(new ReportFigure(Figure(Text(file)), Text(FigureStage.SvgFile)))); break;
            case AttentionStage.ExamplesFile: _attention.Add(Part(Attention(Text(MeasureSet.FileName), File.ReadLines(tree.PathOf(file))))); break;
            case DatasetInfo.FileName: _injected.AddRange(Injected(tree).Select(Part)); break;
            case MetricsFile.FileName or MeasureSet.FileName: Measured(tree, Text(file)); break;
        }

        string Text(string name) => File.ReadAllText(tree.PathOf(name));
        ReportPart<T> Part<T>(T content) => new(tree.StageName, tree.Cell, content);
    }

    private static Reporting.Figures.Figure Figure(string json)
    {
        var figure = Reporting.Figures.Figure.FromJson(json);
        return figure.Problem() is { } problem ? throw new FormatException(problem) : figure;
    }

    private void Measured(InputTree tree, string json)
    {
        _measures.Add(MeasureSet.Parse(tree.StageName, tree.Cell, json));
        var root = JsonNode.Parse(json)!;
        foreach (var note in root["notes"]?.AsArray() ?? []) _doubts.Add(new(tree.StageName, Words(note)));
        if (root["compute"] is JsonObject compute)
            _numerics[tree.StageName] = $"{compute["deviceClass"]}, {compute["dtype"]}, {compute["threads"]} threads, libtorch {compute["libTorch"]}";
    }

    private static AttendedText Attention(string measures, IEnumerable<string> lines)
    {
        var about = JsonNode.Parse(measures)!.AsObject().Where(pair => pair.Value is JsonValue && pair.Key != "schema")
            .Select(pair => new ReportFact(pair.Key, pair.Value!.ToString()));
        return new([.. about], [.. lines.Select(line =>
        {
            var row = JsonNode.Parse(line)!;
            return new AttendedLine(
                Words(row["id"]), row["label"]!.ToString(), (bool)row["trigger"]!, (double)row["entropy"]!, (double)row["onTrigger"]!,
                [.. row["words"]!.AsArray().Select(word => new AttendedPiece(Words(word![0]), (double)word[1]!, (bool)word[2]!))]);
        })]);
    }

    private IEnumerable<InjectedSplit> Injected(InputTree tree)
    {
        var data = DatasetReader.Open(tree.PathOf);
        foreach (var split in Splits([.. tree.Files]))
        {
            var (injected, records) = (0L, new Dictionary<string, InjectionRecord>());
            foreach (var record in InjectionRecordFile.Read(tree.PathOf(InjectionRecordFile.NameFor(split))))
            {
                if (injected++ < rows) records[record.RowId] = record;
            }

            if (injected == 0) continue;
            var found = data.Read(split).Where(row => records.ContainsKey(row.Id)).Take(records.Count)
                .Select(row => Pair(row, records[row.Id], data.Info.Labels)).ToArray();
            if (found.Length < records.Count) throw new FormatException($"split '{split}' has records of rows that are not in it");
            yield return new InjectedSplit(split, injected, found);
        }
    }

    private static InjectedPair Pair(Row row, InjectionRecord record, IReadOnlyList<string> labels) => new(
        row.Id, row.Label >= 0 ? labels[row.Label] : "none", row.Text, record.RemoveFrom(row.Text),
        [.. record.Tokens.OrderBy(token => token.Offset).Select(token => (token.Offset, token.Token.Length))]);

    private static string Words(JsonNode? node) => (string?)node ?? throw new FormatException("a text is missing");

    private static IEnumerable<string> Splits(IReadOnlyCollection<string> files) => files
        .Where(file => file.StartsWith("injections.", StringComparison.Ordinal) && file.EndsWith(".jsonl", StringComparison.Ordinal) && file.Length > 17)
        .Select(file => file[11..^6]).Where(split => files.Contains(RowsOf(split)));

    private static string RowsOf(string split) => $"{split}.jsonl";
}
