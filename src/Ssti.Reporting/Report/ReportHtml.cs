using System.Globalization;
using System.Text;
using Ssti.Reporting.Claims;

namespace Ssti.Reporting.Report;

/// <summary>Makes a report one HTML file: nothing in it is fetched from anywhere, and there is no script in it.</summary>
/// <remarks>
/// The same page gives the same bytes, under whatever culture. However much there is to show, it stays below <see cref="MostBytes"/>: what does not fit is named.
/// </remarks>
public static class ReportHtml
{
    /// <summary>No page is larger, in bytes of UTF-8.</summary>
    public const int MostBytes = 2_000_000;

    /// <summary>What a page may do, as a Content-Security-Policy: show itself. It stands in the page, so that it holds for a file as well.</summary>
    public const string Policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

    // What each part may take; together with the style and the head they stay below the whole.
    private const int ForClaims = 200_000, ForNotes = 60_000, ForTables = 300_000, ForFigures = 550_000, ForMeasures = 200_000, ForTexts = 110_000,
        ForGraph = 80_000, ForTimes = 70_000, ForStages = 170_000, ForFacts = 40_000;

    private const int MostEntries = 12;

    /// <summary>The page.</summary>
    public static string Of(ReportPage page)
    {
        var toggles = new Toggles(page);
        var parts = new ReportSections(page, toggles);
        var run = new RunSections(page, toggles);
        Section[] sections =
        [
            new("claims", "Claims", [.. page.Claims.Select(claim => claim.Content.Sentence)], "claim", parts.Claims(new(ForClaims))),
            new("doubts", "Doubts", [], "", ReportSections.Doubts(page.Doubts, new(ForNotes))),
            new("missing", "What is not here", [], "", ReportSections.Missing(page, new(ForNotes))),
            new("tables", "Tables", [.. page.Tables.Select(table => table.Content.Title)], "table", parts.Tables(new(ForTables))),
            new("figures", "Figures", [.. page.Figures.Select(figure => figure.Content.Figure.Title)], "figure", parts.Figures(new(ForFigures))),
            new("attention", "Attention, word by word", [], "", new TextSections(page).Attention(new(ForTexts))),
            new("injected", "Injected rows beside their originals", [], "", new TextSections(page).Injected(new(ForTexts))),
            new("measures", "Measurements", [], "", parts.Measures(ForMeasures)),
            new("graph", "The pipeline", [], "", run.Graph(ForGraph)),
            new("times", "Where the time went", [], "", run.Times(new(ForTimes))),
            new("stages", "Where everything comes from", [], "", run.Stages(ForStages)),
        ];
        Section[] there = [.. sections.Where(section => section.Html.Length > 0)];
        var body = new StringBuilder();
        body.Append("<header class=\"top\">\n").Append(CultureInfo.InvariantCulture, $"<h1>{Markup.Line(page.Title, 300)}</h1>\n");
        if (page.Up is { } up) body.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Markup.Line(up)}\">All runs</a></p>\n");
        if (page.Lead is { } lead) body.Append(CultureInfo.InvariantCulture, $"<p class=\"lead\">{Markup.Line(lead, 1000)}</p>\n");
        if (Verdicts(page) is { } verdicts) body.Append(CultureInfo.InvariantCulture, $"<p class=\"verdicts\">{verdicts}</p>\n");
        body.Append(Facts(page.Facts, new(ForFacts))).Append("</header>\n<div class=\"page\">\n").Append(Contents(there)).Append("<main>\n");
        foreach (var section in there)
        {
            // Right before what they are mostly for.
            if (section == there.First(one => one.Id is "measures" or "stages" || one == there[^1])) body.Append(toggles.Html());
            body.Append($"<section aria-labelledby=\"{section.Id}\"><h2 id=\"{section.Id}\">{section.Title}</h2>\n{section.Html}</section>\n");
        }

        return PageFrame.Of(page.Title, body.Append("</main>\n</div>\n").ToString(), toggles.Style(), page.Refresh);
    }

    /// <summary>A verdict as a badge: a sign, words and a colour.</summary>
    internal static string Badge(Verdict verdict, string? words = null)
    {
        var (name, sign) = verdict switch { Verdict.Held => ("held", "✓"), Verdict.DidNotHold => ("failed", "✗"), _ => ("open", "?") };
        return $"<span class=\"badge {name}\"><span aria-hidden=\"true\">{sign}</span> {words ?? ClaimText.Words(verdict)}</span>";
    }

    private static string? Verdicts(ReportPage page)
    {
        if (page.Claims.Count == 0) return null;
        var counts = page.Claims.GroupBy(claim => claim.Content.Verdict).OrderBy(group => group.Key)
            .Select(group => Badge(group.Key, string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {ClaimText.Words(group.Key)}")));
        var claims = page.Claims.Count == 1 ? "claim" : "claims";
        return string.Create(CultureInfo.InvariantCulture, $"{page.Claims.Count} {claims}: {string.Join(' ', counts)}");
    }

    private static string Facts(IReadOnlyList<ReportFact> facts, Allowance allowance)
    {
        if (facts.Count == 0) return "";
        var list = allowance.Fill(facts.Select(fact =>
            (fact.Name, $"<div><dt>{Markup.Line(fact.Name, 100)}</dt><dd>{Markup.Line(fact.Value, 1000)}</dd></div>\n")));
        return $"<dl class=\"facts\">\n{list}</dl>\n{allowance.LeftOut("facts", "they stand in the run")}";
    }

    private static string Contents(IReadOnlyList<Section> sections)
    {
        var html = new StringBuilder("<nav aria-label=\"Contents\"><ol>\n");
        foreach (var section in sections)
        {
            html.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#{section.Id}\">{section.Title}</a>");
            var entries = section.Entries.Take(MostEntries).Select((entry, at) => string.Create(
                CultureInfo.InvariantCulture, $"<li><a href=\"#{section.Entry}-{at + 1}\">{Markup.Line(entry, 90)}</a></li>"));
            if (section.Entries.Count > 1) html.Append(CultureInfo.InvariantCulture, $"<ol>{string.Concat(entries)}</ol>");
            html.Append("</li>\n");
        }

        return html.Append("</ol></nav>\n").ToString();
    }

    private sealed record Section(string Id, string Title, IReadOnlyList<string> Entries, string Entry, string Html);
}
