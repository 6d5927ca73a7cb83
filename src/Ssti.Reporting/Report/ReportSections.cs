using System.Globalization;
using System.Text;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Report;

/// <summary>The sections of a report about results.</summary>
internal sealed class ReportSections(ReportPage page, Toggles toggles)
{
    private const int MostStages = 6, LargestTable = 120_000;

    /// <summary>Each claim with its verdict, its cases as a table, and the test.</summary>
    public string Claims(Allowance allowance)
    {
        if (page.Claims.Count == 0) return "";
        var claims = page.Claims.Select((claim, at) => (claim.Stage, Claim(claim, string.Create(CultureInfo.InvariantCulture, $"claim-{at + 1}"))));
        return "<p class=\"dim\">Held: of every case the 95 % interval of the difference lies on the claimed side. Did not hold: of one it lies on the "
            + "other side. Not decidable: it reaches over both, or there is a single run. A claim that did not hold is a result.</p>\n"
            + allowance.Fill(claims) + allowance.LeftOut("claims", page.More);
    }

    /// <summary>The tables.</summary>
    public string Tables(Allowance allowance)
    {
        var tables = page.Tables.Select((table, at) =>
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"table-{at + 1}");
            var html = HtmlTable.Of(table.Content, id, LargestTable, page.More);
            return (table.Stage, Article(table.Stage, table.Cell, id, Markup.Line(table.Content.Title), html));
        });
        return allowance.Fill(tables) + allowance.LeftOut("tables", page.More);
    }

    /// <summary>The figures as drawings, with their numbers.</summary>
    public string Figures(Allowance allowance)
    {
        var figures = page.Figures.Select((figure, at) => (figure.Stage, Figure(figure, string.Create(CultureInfo.InvariantCulture, $"figure-{at + 1}"))));
        return allowance.Fill(figures) + allowance.LeftOut("figures", page.More);
    }

    /// <summary>What was measured: for each stage a row a cell.</summary>
    public string Measures(int bytes)
    {
        var html = new StringBuilder();
        var stages = page.Measures.GroupBy(set => set.Stage).ToArray();
        foreach (var (at, sets) in stages.Index())
        {
            MeasureSet[] cells = [.. sets];
            var id = string.Create(CultureInfo.InvariantCulture, $"measures-{at + 1}");
            var table = MeasureTable.Of(cells);
            var text = HtmlTable.Of(table, id, bytes / stages.Length * 3 / 4, page.More, row => toggles.ClassOf(cells[row].Cell))
                + $"<details><summary>What they say</summary>\n{HtmlTable.Notes(Definitions(table))}</details>\n";
            // A stage of very many measures has a long head; what would break the whole is said instead.
            if (Encoding.UTF8.GetByteCount(text) > bytes / stages.Length)
                text = $"<p class=\"left\">Too many measures to be shown; {Markup.Line(page.More)}.</p>\n";
            html.Append(CultureInfo.InvariantCulture, $"<article><h3 id=\"{id}\">{Markup.Line(sets.Key)}</h3>\n{text}</article>\n");
        }

        return html.ToString();
    }

    /// <summary>What stages warned of: what many say alike once.</summary>
    public static string Doubts(IReadOnlyList<ReportNote> doubts, Allowance allowance)
    {
        if (doubts.Count == 0) return "";
        var notes = doubts.GroupBy(doubt => doubt.Text).Select(group => (group.Key, $"<li>{Stages([.. group])}{Markup.Line(group.Key, 900)}</li>\n"));
        return "<p class=\"dim\">These results can be had, but mean less than their names say.</p>\n"
            + $"<ul class=\"doubts\">\n{allowance.Fill(notes)}</ul>\n{allowance.LeftOut("doubts", "'ssti show' lists them")}";
    }

    /// <summary>What one may look for in vain: why it is not there.</summary>
    public static string Missing(ReportPage page, Allowance allowance)
    {
        var notes = page.Missing.GroupBy(note => note.Text).Select(group => (group.Key, $"<li>{Stages([.. group])}{Markup.Line(group.Key, 900)}</li>\n"));
        (string, string)[] kinds = [.. new[]
        {
            (page.Claims.Count, "No claim: no stage of kind claim left one."), (page.Tables.Count, "No table: no stage of kind table left one."),
            (page.Figures.Count, "No figure: no stage of kind figure left one."), (page.Attention.Count, "No text with attention: no stage of kind attention left rows."),
            (page.Injected.Count, "No injected rows: no stage of kind inject left any."), (page.Measures.Count, "No measurements."),
        }.Where(kind => page.TellsAbsent && kind.Item1 == 0).Select(kind => (kind.Item2, $"<li>{kind.Item2}</li>\n"))];
        var list = allowance.Fill(notes.Concat(kinds));
        return list.Length == 0 ? "" : $"<ul class=\"missing\">\n{list}</ul>\n{allowance.LeftOut("remarks", "'ssti show' lists all stages")}";
    }

    private static IReadOnlyList<string> Definitions(Table table) =>
        [.. table.Columns.Where(column => column.Definition is not null).Select(column => $"{column.Header}: {column.Definition}.")];

    private string Claim(ReportPart<Claim> claim, string id)
    {
        var table = ClaimText.ToTable(claim.Content);
        var title = $"{ReportHtml.Badge(claim.Content.Verdict)} {Markup.Line(claim.Content.Sentence, 600)}";
        return Article(claim.Stage, claim.Cell, id, title, HtmlTable.Of(table, id, LargestTable, page.More));
    }

    private string Figure(ReportPart<ReportFigure> part, string id)
    {
        var (figure, svg) = part.Content;
        string drawn;
        try
        {
            drawn = SvgInset.Of(svg, $"{id}-", $"{figure.Title}. {figure.Y} by {figure.X}");
        }
        catch (FormatException error)
        {
            drawn = $"<p class=\"left\">The drawing cannot be shown: {Markup.Line(error.Message)}.</p>";
        }

        var numbers = HtmlTable.Of(FigureTable.Of(figure), $"{id}-n", 20_000, page.More);
        return Article(part.Stage, part.Cell, id, Markup.Line(figure.Title),
            $"<figure><div class=\"card\">{drawn}</div><figcaption>{HtmlTable.Notes(figure.Notes)}</figcaption></figure>\n"
            + $"<details><summary id=\"{id}-n\">The numbers drawn</summary>\n{numbers}</details>\n");
    }

    private string Article(string stage, IReadOnlyDictionary<string, string> cell, string id, string title, string html)
    {
        var of = toggles.ClassOf(cell) is { } classes ? $" class=\"{classes}\"" : "";
        return $"<article{of}><h3 id=\"{id}\">{title}</h3>\n{html}<p class=\"from\">stage {Markup.Line(stage, 120)}</p></article>\n";
    }

    private static string Stages(IReadOnlyList<ReportNote> notes)
    {
        string[] stages = [.. notes.Select(note => note.Stage).OfType<string>().Distinct()];
        if (stages.Length == 0) return "";
        var rest = stages.Length > MostStages ? string.Create(CultureInfo.InvariantCulture, $" and {stages.Length - MostStages} more") : "";
        return $"<b>{Markup.Line(string.Join(", ", stages.Take(MostStages)), 600)}{rest}</b>: ";
    }
}
