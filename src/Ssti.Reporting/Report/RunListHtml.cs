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
        body.Append($"<header><h1 id=\"runs\">Runs</h1><p class=\"dim\">{Markup.Line(place)}</p></header>\n");
        if (runs.Count == 0) return PageFrame.Of("Runs", body.Append("<p>No run yet: <code>ssti run</code> makes the first.</p>\n").ToString(), refresh: Refresh);
        string[] headings = ["run", "pipeline", "state", "cells over", "failed#", "begun (UTC)", "time"];
        body.Append(Markup.Box("runs", $"<table>{Markup.Head(headings)}<tbody>\n{string.Concat(runs.Select(Row))}</tbody></table>"));
        if (older > 0)
            body.Append(CultureInfo.InvariantCulture, $"<p class=\"left\">{older} older runs are not shown; 'ssti report' shows one, 'ssti runs' lists them.</p>\n");
        return PageFrame.Of("Runs", body.ToString(), refresh: Refresh);
    }

    private static string Row(RunListEntry run) => string.Create(CultureInfo.InvariantCulture,
        $"""
        <tr><th scope="row"><a href="/runs/{Markup.Line(Uri.EscapeDataString(run.Id))}">{Markup.Line(run.Id)}</a></th><td>{Markup.Line(run.Pipeline)}</td>
        <td class="state {Markup.Line(run.State)}">{Markup.Line(run.State)}</td>
        <td><progress max="{Math.Max(1, run.Cells)}" value="{run.Ended}" aria-label="cells over"></progress> {run.Ended} of {run.Cells}</td>
        <td class="n">{run.Failed}</td><td>{Markup.Line(run.Begun)}</td><td>{Markup.Line(run.Time)}</td></tr>

        """);

    /// <summary>A page that says why there is none.</summary>
    public static string Nothing(string why) =>
        PageFrame.Of("Not here", $"<h1>Not here</h1>\n<p>{Markup.Line(why)}</p>\n<p><a href=\"/\">All runs</a></p>\n");
}
