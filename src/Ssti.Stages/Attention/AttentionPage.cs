using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Ssti.Stages;

/// <summary>Rows word by word as one HTML page: the deeper a word's colour, the more attention it gets; the token is framed.</summary>
internal static class AttentionPage
{
    private const string Head = """
        <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Attention</title>
        <style>
        body{font:16px/1.9 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
        h2{font-size:1rem;margin:2rem 0 .3rem}p{overflow-wrap:anywhere}span{padding:.1em .15em;border-radius:.2em}
        """ + """
        b{font-weight:inherit;outline:2px solid #b00020;border-radius:.2em}
        @media(prefers-color-scheme:dark){body{color:#eee;background:#111}b{outline-color:#ff6f7d}}
        </style>
        """;

    public static string Of(IReadOnlyList<AttendedRow> rows, JsonObject about)
    {
        var page = new StringBuilder(Head).Append("\n<h1>Attention</h1>\n<p>");
        page.Append(string.Join("; ", about.Select(pair => WebUtility.HtmlEncode($"{pair.Key}: {pair.Value}"))))
            .Append(". Colour: a word's weight as a share of the row's largest.</p>\n");
        foreach (var row in rows)
        {
            var most = row.Words.Max(word => word.Weight);
            page.Append(CultureInfo.InvariantCulture,
                $"<h2>row {WebUtility.HtmlEncode(row.Id)}, class {row.Label}, {(row.HasTrigger ? "with the token" : "without")}: {row.Entropy:0.000} bits</h2>\n<p>");
            foreach (var word in row.Words)
            {
                var text = WebUtility.HtmlEncode(word.Text);
                var shown = word.IsTrigger ? $"<b>{text}</b>" : text;
                page.Append(CultureInfo.InvariantCulture, $"<span style=\"background:rgba(230,120,0,{word.Weight / most:0.00})\">{shown}</span> ");
            }

            page.Append("</p>\n");
        }

        return page.Append("</html>\n").ToString().ReplaceLineEndings("\n");
    }
}
