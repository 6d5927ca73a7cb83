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
    private const int MostRows = 60;
    private static readonly IReadOnlyDictionary<string, string> NoCell = new Dictionary<string, string>();

    /// <summary>The page.</summary>
    public static ReportPage Of(
        string stage, AuditAnswer answer, DatasetInfo data, DataAuditResult result, Table suspects, ScatterFigure figure, Dictionary<string, NamedMeasure> measures,
        IReadOnlyList<string> warnings) => new($"Audit of {data.Name}")
    {
        Lead = answer.Headline,
        Facts = Facts(answer),
        Tables =
        [
            new(stage, NoCell, suspects), .. Examples(result, data.Labels) is { Rows.Count: > 0 } rows ? [new(stage, NoCell, rows)] : Array.Empty<ReportPart<Table>>(),
            new(stage, NoCell, Classes(result, data.Labels)),
        ],
        Figures = [new(stage, NoCell, new ReportFigure(figure, FigureDrawing.ToSvg(figure)))],
        Measures = [new MeasureSet(stage, NoCell, measures, null, data.Labels)],
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
