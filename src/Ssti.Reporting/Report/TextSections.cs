using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>The sections of a report that show rows: texts of others, in which the token is marked.</summary>
internal sealed class TextSections(ReportPage page)
{
    private const int MostWords = 400, Before = 240, Window = 720, LongestWord = 60;

    /// <summary>Rows whose words are the deeper in colour the more attention they get.</summary>
    public string Attention(Allowance allowance)
    {
        if (page.Attention.Count == 0) return "";
        var rows = page.Attention.SelectMany(part => part.Content.Rows.Select((row, at) => (
            Name: $"{part.Stage}, row {row.Id}", Html: (at == 0 ? Heading(part) : "") + Row(row))));
        return "<p class=\"dim\">The deeper a word's colour, the more of the row's attention it gets, as a share of the row's largest; the token is "
            + $"<mark>framed</mark>. <span class=\"scale\" aria-hidden=\"true\">{Scale()}</span></p>\n{allowance.Fill(rows)}{allowance.LeftOut("rows", page.More)}";
    }

    /// <summary>Rows with their tokens, beside what they were.</summary>
    public string Injected(Allowance allowance)
    {
        if (page.Injected.Count == 0) return "";
        var splits = page.Injected.Select(part => (part.Stage, Html: Split(part)));
        return "<p class=\"dim\">Chosen by no merit: of each split that is shown the first injected rows, in the dataset's order. The original is the row with "
            + "its recorded tokens cut out again; where white space was collapsed, it is the original's words. Of long rows the part around the first token.</p>\n"
            + $"{allowance.Fill(splits)}{allowance.LeftOut("splits", page.More)}";
    }

    private static string Heading(ReportPart<AttendedText> part)
    {
        var about = string.Join("; ", part.Content.About.Select(fact => $"{fact.Name}: {fact.Value}"));
        return $"<h3>{Markup.Line(part.Stage, 120)}</h3>\n<p class=\"dim\">{Markup.Line(about, 600)}</p>\n";
    }

    private static string Row(AttendedLine row)
    {
        var most = row.Words.Select(word => word.Weight).DefaultIfEmpty().Max();
        var html = new StringBuilder();
        html.Append($"<h4>Row {Markup.Line(row.Id, 80)}, class {Markup.Line(row.Label, 60)}, {(row.HasTrigger ? "with the token" : "without it")}: ");
        html.Append(CultureInfo.InvariantCulture, $"{row.Entropy:0.000} bits");
        if (row.HasTrigger) html.Append(CultureInfo.InvariantCulture, $", {100 * row.OnTrigger:0.0} % of the attention on the token");
        html.Append("</h4>\n<p class=\"words\">");
        foreach (var word in row.Words.Take(MostWords))
        {
            var level = most > 0 && double.IsFinite(word.Weight) ? Math.Clamp((int)Math.Round(10 * word.Weight / most), 0, 10) : 0;
            var text = Markup.Line(word.Text, LongestWord);
            html.Append(CultureInfo.InvariantCulture, $"<span class=\"w{level}\">{(word.IsTrigger ? $"<mark>{text}</mark>" : text)}</span> ");
        }

        if (row.Words.Count > MostWords) html.Append(CultureInfo.InvariantCulture, $"… ({row.Words.Count - MostWords} words more)");
        return html.Append("</p>\n").ToString();
    }

    private static string Scale() => string.Concat(Enumerable.Range(0, 11).Select(level => $"<span class=\"w{level}\">&nbsp;</span>"));

    private static string Split(ReportPart<InjectedSplit> part)
    {
        var html = new StringBuilder();
        html.Append($"<article><h3>{Markup.Line(part.Stage, 120)}: {Markup.Line(part.Content.Split, 60)}</h3>\n");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"dim\">{part.Content.Rows.Count} of {part.Content.Injected} injected rows.</p>\n");
        foreach (var row in part.Content.Rows)
        {
            html.Append($"<h4>Row {Markup.Line(row.Id, 80)}, class {Markup.Line(row.Label, 60)}</h4>\n<dl class=\"pair\">");
            html.Append($"<div><dt>Original</dt><dd>{Original(row)}</dd></div><div><dt>Injected</dt><dd>{Marked(row)}</dd></div></dl>\n");
        }

        return html.Append("</article>\n").ToString();
    }

    private static string Original(InjectedPair row)
    {
        var from = From(row);
        return $"{(from > 0 ? "… " : "")}{Markup.Text(row.Original[Math.Min(from, row.Original.Length)..], Window)}";
    }

    private static string Marked(InjectedPair row)
    {
        var (from, html) = (From(row), new StringBuilder());
        var (to, at, shown) = (Math.Min(row.Text.Length, from + Window), from, 0);
        if (from > 0) html.Append("… ");
        foreach (var (start, length) in row.Tokens)
        {
            // What a later step put inside another token is marked with it.
            if (start < at || length <= 0 || start > row.Text.Length - length) continue;
            if (start + length > to) break;
            html.Append(Markup.Text(row.Text[at..start])).Append("<mark>").Append(Markup.Text(row.Text.Substring(start, length))).Append("</mark>");
            at = start + length;
            shown++;
        }

        html.Append(Markup.Text(row.Text[at..], Math.Max(1, to - at)));
        if (shown < row.Tokens.Count)
            html.Append(CultureInfo.InvariantCulture, $" <span class=\"dim\">({shown} of {row.Tokens.Count} tokens shown)</span>");
        return html.ToString();
    }

    // Where a long row begins to be shown: some way before its first token, and not in the middle of a character.
    private static int From(InjectedPair row)
    {
        var from = row.Text.Length <= Window || row.Tokens.Count == 0 ? 0 : Math.Clamp(row.Tokens[0].Start - Before, 0, row.Text.Length);
        return from > 0 && from < row.Text.Length && char.IsLowSurrogate(row.Text[from]) ? from - 1 : from;
    }
}
