using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>The sections of a report about how its results were made.</summary>
internal sealed class RunSections(ReportPage page, Toggles toggles)
{
    private const int MostNodes = 90, Digits = 12;

    // What stands under a heading, and where a stage has it; columns of which nothing is known are left out.
    private static readonly (string Header, Func<ReportOrigin, string?> Of, bool IsDigest, bool IsNumber)[] Columns =
    [
        ("kind", stage => stage.Uses, false, false), ("version", stage => stage.Version, false, true), ("state", stage => stage.State, false, false),
        ("key", stage => stage.Key, true, false), ("output", stage => stage.Output, true, false), ("seed", stage => stage.Seed, false, true),
        ("computed with", stage => stage.Numerics, false, false), ("time", stage => stage.Time, false, true), ("made by run", stage => stage.MadeBy, false, false),
    ];

    /// <summary>The pipeline as a picture and in words.</summary>
    public string Graph(int bytes)
    {
        if (page.Graph.Count == 0) return "";
        var drawn = page.Graph.Count <= MostNodes ? GraphDrawing.Of(page.Graph) : "";
        // An edge from everything to everything makes a picture that nobody can read.
        if (drawn.Length == 0 || Encoding.UTF8.GetByteCount(drawn) > bytes / 2)
            drawn = string.Create(CultureInfo.InvariantCulture, $"<p class=\"left\">A picture of {page.Graph.Count} stages would be too large; in words they stand below.</p>\n");
        else drawn = $"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"graph\">{drawn}</div>\n<p class=\"dim legend\">"
            + string.Concat(page.Graph.Select(node => node.State).Distinct().Select(state => $"<span class=\"key {Markup.Line(state)}\">{Markup.Line(state)}</span> ")) + "</p>\n";
        var words = new Allowance(bytes / 2);
        var list = words.Fill(page.Graph.Select(node => (node.Name,
            $"<li><b>{Markup.Line(node.Name, 120)}</b> ({Markup.Line(node.Uses, 60)}; {Markup.Line(node.Note, 200)}){Needs(node)}</li>\n")));
        return $"{drawn}<details><summary>The graph in words</summary><ul>\n{list}</ul>\n{words.LeftOut("stages", "'ssti graph' prints them")}</details>\n";
    }

    /// <summary>When each stage was at work.</summary>
    public string Times(Allowance allowance)
    {
        if (page.Times.Count == 0) return "";
        var rows = allowance.Fill(page.Times.Select(time => (time.Name, Time(time))));
        return "<p class=\"dim\">Each bar is a cell at work, from the beginning of the run at the left to its end at the right; what was cached took no time.</p>\n"
            + "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"times\"><table class=\"times\"><thead><tr><th scope=\"col\">stage</th><th scope=\"col\">kind</th>"
            + $"<th scope=\"col\" class=\"n\">cells</th><th scope=\"col\" class=\"n\">time</th><th scope=\"col\">when</th></tr></thead><tbody>\n{rows}</tbody></table></div>\n"
            + allowance.LeftOut("stages", "'ssti trace --html' shows all");
    }

    /// <summary>Stage by stage: kind, version, key, seed, device.</summary>
    public string Stages(int bytes)
    {
        if (page.Origins.Count == 0) return "";
        string[] dimensions = [.. page.Origins.SelectMany(stage => stage.Cell.Keys).Distinct()];
        var columns = Columns.Where(column => page.Origins.Any(stage => column.Of(stage) is { Length: > 0 })).ToArray();
        var html = new StringBuilder("<p class=\"dim\">A key is the SHA-256 of all that an output depends on, an output that of its files; <code>ssti show</code> takes their first digits. "
            + "Neither hangs on a commit, a path, a host or a clock.</p>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"stages\"><table><thead><tr><th scope=\"col\">stage</th>");
        foreach (var dimension in dimensions) html.Append($"<th scope=\"col\">{Markup.Line(dimension, 60)}</th>");
        foreach (var column in columns) html.Append($"<th scope=\"col\"{(column.IsNumber ? " class=\"n\"" : "")}>{column.Header}</th>");
        html.Append("</tr></thead><tbody>\n");
        var allowance = new Allowance(bytes - Encoding.UTF8.GetByteCount(html.ToString()));
        var shown = 0;
        foreach (var stage in page.Origins)
        {
            var row = Row(stage, dimensions, columns);
            if (!allowance.Take(row)) break;
            html.Append(row);
            shown++;
        }

        html.Append("</tbody></table></div>\n");
        if (shown < page.Origins.Count)
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"left\">The first {shown} of {page.Origins.Count} stages; the page would be too large; 'ssti show' lists all of a run.</p>\n");
        return html.ToString();
    }

    private string Row(ReportOrigin stage, IReadOnlyList<string> dimensions, IReadOnlyList<(string Header, Func<ReportOrigin, string?> Of, bool IsDigest, bool IsNumber)> columns)
    {
        var html = new StringBuilder($"<tr{(toggles.ClassOf(stage.Cell) is { } of ? $" class=\"{of}\"" : "")}><th scope=\"row\">{Markup.Line(stage.Name, 120)}</th>");
        foreach (var dimension in dimensions) html.Append($"<td>{Markup.Line(stage.Cell.GetValueOrDefault(dimension, ""), 80)}</td>");
        foreach (var column in columns)
        {
            var value = column.Of(stage) ?? "";
            if (column.IsDigest && value.Length > Digits) html.Append($"<td><code title=\"{Markup.Line(value, 100)}\">{Markup.Line(value[..Digits])}</code></td>");
            else html.Append($"<td{(column.IsNumber ? " class=\"n\"" : column.Header == "state" ? $" class=\"state {Markup.Line(value, 40)}\"" : "")}>{Markup.Line(value, 200)}</td>");
        }

        return html.Append("</tr>\n").ToString();
    }

    private static string Time(ReportTime time)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{Markup.Line(time.Name, 120)}</th><td>{Markup.Line(time.Uses, 60)}</td><td class=\"n\">{time.Cells}</td><td class=\"n\">{Markup.Line(time.Time, 60)}</td><td><div class=\"track\" aria-hidden=\"true\">");
        foreach (var (from, to, failed) in Merged(time.Spans))
            html.Append($"<i{(failed ? " class=\"failed\"" : "")} style=\"left:{Markup.Number(100 * from)}%;width:{Markup.Number(100 * (to - from))}%\"></i>");
        return html.Append("</div></td></tr>\n").ToString();
    }

    // Cells that follow one another closely are one bar: a thousand of them are no more to be seen, and would take a hundred kilobytes.
    private static IEnumerable<(double From, double To, bool Failed)> Merged(IEnumerable<(double From, double To, bool Failed)> spans)
    {
        const double Narrowest = 0.004;
        (double From, double To, bool Failed)? last = null;
        foreach (var (start, end, failed) in spans.OrderBy(span => span.From))
        {
            var (from, to) = (Math.Clamp(start, 0, 1), Math.Clamp(Math.Max(end, start + Narrowest), 0, 1));
            if (last is { } open && from <= open.To + Narrowest && failed == open.Failed)
            {
                last = open with { To = Math.Max(open.To, to) };
                continue;
            }

            if (last is { } done) yield return done;
            last = (from, to, failed);
        }

        if (last is { } rest) yield return rest;
    }

    private static string Needs(ReportNode node) => node.Needs.Count == 0 ? ", which needs none" : $" needs {Markup.Line(string.Join(", ", node.Needs), 600)}";
}
