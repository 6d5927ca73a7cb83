using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>A run in a list.</summary>
/// <param name="Id">Its name, also the last part of its page's path.</param>
/// <param name="Pipeline">Its pipeline.</param>
/// <param name="State">How it ended, or that it did not.</param>
/// <param name="Begun">When it began, in words.</param>
/// <param name="Time">How long it took, or when it was last heard of, in words.</param>
/// <param name="Ended">Cells that are over.</param>
/// <param name="Cells">Cells it has.</param>
/// <param name="Failed">Cells that failed.</param>
public sealed record RunListEntry(string Id, string Pipeline, string State, string Begun, string Time, int Ended, int Cells, int Failed);

/// <summary>The list of runs that <c>ssti serve</c> shows: a line a run, with a bar for one that is not over.</summary>
public static class RunListHtml
{
    private const int Refresh = 10;

    /// <summary>The page.</summary>
    /// <param name="place">Which store it is.</param>
    /// <param name="runs">The runs, newest first.</param>
    /// <param name="older">How many older ones are not shown.</param>
    public static string Of(string place, IReadOnlyList<RunListEntry> runs, int older)
    {
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"<header class=\"top\"><h1 id=\"runs\">Runs</h1><p class=\"dim\">{Markup.Line(place)}</p></header>\n");
        if (runs.Count == 0) return PageFrame.Of("Runs", body.Append("<p>No run yet: <code>ssti run</code> makes the first.</p>\n").ToString(), refresh: Refresh);
        body.Append("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"runs\"><table><thead><tr><th scope=\"col\">run</th><th scope=\"col\">pipeline</th><th scope=\"col\">state</th>"
            + "<th scope=\"col\">cells over</th><th scope=\"col\" class=\"n\">failed</th><th scope=\"col\">begun (UTC)</th><th scope=\"col\">time</th></tr></thead><tbody>\n");
        foreach (var run in runs)
        {
            body.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\"><a href=\"/runs/{Markup.Line(Uri.EscapeDataString(run.Id))}\">{Markup.Line(run.Id)}</a></th><td>{Markup.Line(run.Pipeline)}</td>");
            body.Append(CultureInfo.InvariantCulture, $"<td class=\"state {Markup.Line(run.State)}\">{Markup.Line(run.State)}</td><td><progress max=\"{Math.Max(1, run.Cells)}\" value=\"{run.Ended}\" aria-label=\"cells over\"></progress> ");
            body.Append(CultureInfo.InvariantCulture, $"{run.Ended} of {run.Cells}</td><td class=\"n\">{run.Failed}</td><td>{Markup.Line(run.Begun)}</td><td>{Markup.Line(run.Time)}</td></tr>\n");
        }

        body.Append("</tbody></table></div>\n");
        if (older > 0) body.Append(CultureInfo.InvariantCulture, $"<p class=\"left\">{older} older runs are not shown; 'ssti runs --limit' lists them, 'ssti report' shows one.</p>\n");
        return PageFrame.Of("Runs", body.ToString(), refresh: Refresh);
    }

    /// <summary>A page that says why there is none.</summary>
    public static string Nothing(string why) => PageFrame.Of("Not here", $"<h1>Not here</h1>\n<p>{Markup.Line(why)}</p>\n<p><a href=\"/\">All runs</a></p>\n");
}
