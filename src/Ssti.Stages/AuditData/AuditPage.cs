using System.Globalization;
using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>An audit as one HTML page.</summary>
internal static class AuditPage
{
    private const int MostRows = 60, MostCopies = 5;
    private static readonly IReadOnlyDictionary<string, string> NoCell = new Dictionary<string, string>();

    /// <summary>The page.</summary>
    public static ReportPage Of(
        string stage, AuditedData audit, Dictionary<string, NamedMeasure> measures, IReadOnlyList<string> warnings) => new($"Audit of {audit.Data.Name}")
    {
        Lead = audit.Answer.Headline,
        Facts = Facts(audit.Answer),
        Tables =
        [
            new(stage, NoCell, audit.Table),
            .. new[] { Examples(audit.Result, audit.Data.Labels), Copies(audit.Result, audit.Data.Labels) }.Where(table => table.Rows.Count > 0)
                .Select(table => Part(stage, table)),
            new(stage, NoCell, Classes(audit.Result, audit.Data.Labels)),
        ],
        Figures = [new(stage, NoCell, new ReportFigure(audit.Figure, FigureDrawing.ToSvg(audit.Figure)))],
        Measures = [new MeasureSet(stage, NoCell, measures, null, audit.Data.Labels)],
        Doubts = [.. warnings.Select(warning => new ReportNote(stage, warning))],
        TellsAbsent = false,
        More = "all of them stand in tokens.csv and rows.csv of the stage's output",
    };

    /// <summary>An answer's sentences, each under what it says.</summary>
    public static IReadOnlyList<ReportFact> Facts(AuditAnswer answer) =>
        [.. Numbered("What it means", answer.Meaning), .. Numbered("What to do", answer.ToDo), .. Numbered("What could not be seen", answer.Unseen)];

    private static IEnumerable<ReportFact> Numbered(string name, IReadOnlyList<string> texts) =>
        texts.Select((text, index) => new ReportFact(texts.Count == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} ({index + 1})"), text));

    /// <summary>Rows of the first suspects, around the sign.</summary>
    public static Table Examples(DataAuditResult result, IReadOnlyList<string> labels) => new(
        "Rows that have them",
        [new("suspect", "suspect", Align.Left), new("id", "row", Align.Left), new("class", "class", Align.Left), new("text", "text around it", Align.Left)],
        [.. result.Suspects.Suspects.Take(20).SelectMany(suspect => suspect.Examples.Select(row => (IReadOnlyList<Cell>)
            [new TextCell(suspect.Lead.Feature.ToString()), new TextCell(row.Id), new TextCell(labels[row.Label]), new TextCell(row.Text)])).Take(MostRows)],
        ["Chosen by no merit: the first rows of the class in the dataset's order."]);

    /// <summary>The first rows that repeat others, or nearly do: of each kind as many.</summary>
    private static Table Copies(DataAuditResult result, IReadOnlyList<string> labels) => new(
        "Rows that stand elsewhere, too",
        [
            new("why", "why", Align.Left), new("split", "split", Align.Left), new("id", "row", Align.Left), new("class", "class", Align.Left),
            new("other_split", "as in", Align.Left), new("other_id", "row", Align.Left), new("other_class", "class", Align.Left),
        ],
        [.. result.Repeated.Found.Concat(result.Repeated.Near).GroupBy(AuditTables.Why).SelectMany(group => group.Take(MostCopies)).Select(row => (IReadOnlyList<Cell>)
        [
            new TextCell(AuditTables.Why(row)), new TextCell(row.Split), new TextCell(row.Id), new TextCell(Label(row.Label, labels)),
            new TextCell(row.OtherSplit), new TextCell(row.OtherId), new TextCell(Label(row.OtherLabel, labels)),
        ])],
        [
            "Near: at least three fifths of its runs of three words stand in the other row, the longest of its group; a text of one or two words as a whole. "
                + "Rows of a group count as one text in all tests.",
        ]);

    private static string Label(int label, IReadOnlyList<string> labels) => label < 0 ? "" : labels[label];

    private static ReportPart<Table> Part(string stage, Table table) => new(stage, NoCell, table);

    private static Table Classes(DataAuditResult result, IReadOnlyList<string> labels) => new(
        "Classes and the lengths of their texts in words",
        [
            new("class", "class", Align.Left), new("rows", "rows"),
            new("least", "shortest"), new("lower", "lower quartile"), new("middle", "median"), new("upper", "upper quartile"), new("most", "longest"),
        ],
        [.. result.Classes.Select(one => (IReadOnlyList<Cell>)
        [
            new TextCell(labels[one.Class]), new NumberCell(NumberFormat.Count, one.Rows),
            .. Enumerable.Range(0, 5).Select(quarter => one.Words.Count == 0 ? (Cell)TextCell.Undefined : new NumberCell(NumberFormat.Count, one.Words[quarter])),
        ])],
        ["Lengths that differ between classes are a sign that a model can read as well; no alarm is raised for them."]);
}
