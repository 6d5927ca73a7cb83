using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>The sections of a report about how its results were made.</summary>
internal sealed class RunSections(ReportPage page, Toggles toggles)
{
    private const int MostNodes = 90, Digits = 12;

    // Columns of which nothing is known are left out.
    private static readonly Column[] Columns =
    [
        new("kind", stage => stage.Uses), new("version#", stage => stage.Version), new("state", stage => stage.State), new("key", stage => stage.Key),
        new("output", stage => stage.Output), new("seed#", stage => stage.Seed), new("computed with", stage => stage.Numerics),
        new("time#", stage => stage.Time), new("made by run", stage => stage.MadeBy),
    ];

    /// <summary>The pipeline as a picture and in words.</summary>
    public string Graph(int bytes)
    {
        if (page.Graph.Count == 0) return "";
        var drawn = page.Graph.Count <= MostNodes ? GraphDrawing.Of(page.Graph) : "";
        // An edge from everything to everything makes a picture that nobody can read.
        if (drawn.Length == 0 || Encoding.UTF8.GetByteCount(drawn) > bytes / 2)
        {
            drawn = string.Create(
                CultureInfo.InvariantCulture, $"<p class=\"left\">A picture of {page.Graph.Count} stages would be too large; in words they stand below.</p>\n");
        }
        else
        {
            var states = page.Graph.Select(node => Markup.Line(node.State)).Distinct().Select(state => $"<span class=\"key {state}\">{state}</span> ");
            drawn = $"{Markup.Box("graph", drawn)}<p class=\"dim\">{string.Concat(states)}</p>\n";
        }

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
            + Markup.Box("times", $"<table class=\"times\">{Markup.Head(["stage", "kind", "cells#", "time#", "when"])}<tbody>\n{rows}</tbody></table>")
            + allowance.LeftOut("stages", "'ssti trace --html' shows all");
    }

    /// <summary>Stage by stage: kind, version, key, seed, device.</summary>
    public string Stages(int bytes)
    {
        if (page.Origins.Count == 0) return "";
        string[] dimensions = [.. page.Origins.SelectMany(stage => stage.Cell.Keys).Distinct()];
        var columns = Columns.Where(column => page.Origins.Any(stage => column.Of(stage) is { Length: > 0 })).ToArray();
        string[] headings = ["stage", .. dimensions, .. columns.Select(column => column.Header)];
        var html = new StringBuilder($"<table>{Markup.Head(headings)}<tbody>\n");
        var allowance = new Allowance(bytes - Encoding.UTF8.GetByteCount(html.ToString()));
        var shown = 0;
        foreach (var stage in page.Origins)
        {
            var row = Row(stage, dimensions, columns);
            if (!allowance.Take(row)) break;
            html.Append(row);
            shown++;
        }

        var left = shown == page.Origins.Count ? "" : string.Create(CultureInfo.InvariantCulture,
            $"<p class=\"left\">The first {shown} of {page.Origins.Count} stages; the page would be too large; 'ssti show' lists all of a run.</p>\n");
        return "<p class=\"dim\">A key is the SHA-256 of all that an output depends on, an output that of its files; <code>ssti show</code> takes their "
            + "first digits. Neither hangs on a commit, a path, a host or a clock.</p>\n" + Markup.Box("stages", html.Append("</tbody></table>").ToString()) + left;
    }

    private string Row(ReportOrigin stage, IReadOnlyList<string> dimensions, IReadOnlyList<Column> columns)
    {
        var html = new StringBuilder(toggles.ClassOf(stage.Cell) is { } of ? $"<tr class=\"{of}\">" : "<tr>");
        html.Append($"<th scope=\"row\">{Markup.Line(stage.Name, 120)}</th>");
        foreach (var dimension in dimensions) html.Append($"<td>{Markup.Line(stage.Cell.GetValueOrDefault(dimension, ""), 80)}</td>");
        foreach (var column in columns)
        {
            var value = column.Of(stage) ?? "";
            html.Append(column.Header switch
            {
                "key" or "output" => $"<td><code title=\"{Markup.Line(value, 100)}\">{Markup.Line(value[..Math.Min(Digits, value.Length)])}</code></td>",
                "state" => $"<td class=\"state {Markup.Line(value, 40)}\">{Markup.Line(value, 40)}</td>",
                _ => $"<td{(column.Header.EndsWith('#') ? " class=\"n\"" : "")}>{Markup.Line(value, 200)}</td>",
            });
        }

        return html.Append("</tr>\n").ToString();
    }

    private static string Time(ReportTime time)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{Markup.Line(time.Name, 120)}</th><td>{Markup.Line(time.Uses, 60)}</td><td class=\"n\">");
        html.Append(CultureInfo.InvariantCulture, $"{time.Cells}</td><td class=\"n\">{Markup.Line(time.Time, 60)}</td><td><div class=\"track\" aria-hidden=\"true\">");
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

    private sealed record Column(string Header, Func<ReportOrigin, string?> Of);

    private static string Needs(ReportNode node) => node.Needs.Count == 0 ? ", which needs none" : $" needs {Markup.Line(string.Join(", ", node.Needs), 600)}";
}
