using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>What every page of ours has: one file, nothing fetched, no script, and the style that reads in light and dark, narrow, wide and printed.</summary>
internal static class PageFrame
{
    private static readonly string Style = Resource("report.css");

    /// <summary>A whole page.</summary>
    /// <param name="title">Its title, as it is.</param>
    /// <param name="body">What stands in its body: HTML.</param>
    /// <param name="style">What is added to the style.</param>
    /// <param name="refresh">Seconds after which it is loaded again, or null.</param>
    public static string Of(string title, string body, string style = "", int? refresh = null)
    {
        var again = refresh is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"<meta http-equiv=\"refresh\" content=\"{seconds}\">\n") : "";
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="{ReportHtml.Policy}">
            <meta name="referrer" content="no-referrer">
            <meta name="color-scheme" content="light dark">
            {again}<title>{Markup.Line(title, 200)}</title>
            <style>
            {Style}{style}</style>
            </head>
            <body>
            {body}</body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    private static string Resource(string name)
    {
        using var stream = typeof(PageFrame).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
