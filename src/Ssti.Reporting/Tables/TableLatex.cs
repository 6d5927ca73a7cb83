using System.Text;

namespace Ssti.Reporting.Tables;

/// <summary>A <see cref="Table"/> for a paper, by the packages booktabs and graphicx.</summary>
public static class TableLatex
{
    // What pdfLaTeX's fonts lack as a letter, and has as a command.
    private static readonly Dictionary<char, string> Commands = new()
    {
        ['\\'] = "\\textbackslash{}", ['~'] = "\\textasciitilde{}", ['^'] = "\\textasciicircum{}", ['`'] = "\\textasciigrave{}", ['<'] = "\\textless{}",
        ['>'] = "\\textgreater{}", ['|'] = "\\textbar{}", ['±'] = "$\\pm$", ['−'] = "$-$", ['×'] = "$\\times$", ['·'] = "$\\cdot$", ['≥'] = "$\\geq$", ['≤'] = "$\\leq$",
        ['≠'] = "$\\neq$", ['≈'] = "$\\approx$", ['→'] = "$\\to$", ['Σ'] = "$\\Sigma$", ['Δ'] = "$\\Delta$", ['α'] = "$\\alpha$", ['κ'] = "$\\kappa$", ['ρ'] = "$\\rho$",
        ['∞'] = "$\\infty$", ['–'] = "--", ['—'] = "---", ['…'] = "\\ldots{}", ['“'] = "``", ['”'] = "''", ['‘'] = "`", ['’'] = "'", ['\u00a0'] = "~",
    };

    /// <summary>
    /// The table in a float, with its title as the caption and a label made of it. A definition among the notes has a mark, which its columns bear; a table
    /// that is wider than the line is scaled down to it.
    /// </summary>
    /// <remarks>
    /// Text is escaped. A comment at the top names what a compilation needs: beside the packages, T1 fonts for letters with accents, and XeLaTeX or LuaLaTeX for
    /// what pdfLaTeX has no letters for. The same table gives the same bytes under any culture.
    /// </remarks>
    public static string ToLatex(this Table table)
    {
        var marks = Marks(table);
        var body = new StringBuilder($"\\begin{{table}}\n  \\centering\n  \\caption{{{Escape(table.Title)}}}\n  \\label{{tab:{Label(table.Title)}}}\n");
        body.Append("  \\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n");
        body.Append($"  \\begin{{tabular}}{{{string.Concat(table.Columns.Select(column => column.Align == Align.Right ? 'r' : 'l'))}}}\n    \\toprule\n");
        Row(table.Columns.Select(column => Escape(column.Header) + (column.Definition is { } text && marks.TryGetValue(text, out var mark) ? Superscript(mark) : "")));
        body.Append("    \\midrule\n");
        foreach (var row in table.Rows) Row(row.Select(Show));
        body.Append("    \\bottomrule\n  \\end{tabular}}\n");
        if (table.Told.Any())
        {
            body.Append("\n  \\medskip\n  \\begin{minipage}{\\linewidth}\n    \\footnotesize\\raggedright\n");
            foreach (var note in table.Told)
                body.Append($"    {marks.Where(mark => Defines(note, mark.Key)).Select(mark => Superscript(mark.Value) + "\\,").FirstOrDefault()}{Escape(note)}\\par\n");
            body.Append("  \\end{minipage}\n");
        }

        return $"% needs \\usepackage{{booktabs,graphicx}}\n{Needs(body)}{body}\\end{{table}}\n";

        void Row(IEnumerable<string> cells)
        {
            string[] all = [.. cells];
            // After \\ LaTeX takes a bracket for an optional length; an empty group before it keeps it text.
            body.Append(all[0].StartsWith('[') ? "    {}" : "    ").AppendJoin(" & ", all).Append(" \\\\\n");
        }
    }

    private static Dictionary<string, string> Marks(Table table)
    {
        var marks = new Dictionary<string, string>();
        foreach (var definition in table.Columns.Select(column => column.Definition).OfType<string>().Distinct())
            if (table.Notes.Any(note => Defines(note, definition))) marks.Add(definition, $"{(marks.Count < 26 ? "" : marks.Count / 26)}{(char)('a' + (marks.Count % 26))}");
        return marks;
    }

    private static bool Defines(string note, string definition) => note.EndsWith($": {definition}.", StringComparison.Ordinal);

    private static string Superscript(string mark) => $"\\textsuperscript{{{mark}}}";

    private static string Show(Cell cell) => cell switch
    {
        // A unit belongs to its number, and a minus is no hyphen.
        NumberCell number => Escape(number.ToString()).Replace("-", "$-$", StringComparison.Ordinal).Replace("$-$$-$", "--", StringComparison.Ordinal)
            .Replace(" \\%", "\\,\\%", StringComparison.Ordinal).Replace(" pp", "\\,pp", StringComparison.Ordinal),
        ListCell list => string.Join(", ", list.Items.Select(item => $"{Escape(item.Name)}: {Show(item.Cell)}")),
        _ => Escape(cell.ToString()),
    };

    private static string Label(string title)
    {
        var label = new string([.. title.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]);
        return label.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words ? string.Join('-', words) : "table";
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            if (Commands.TryGetValue(c, out var command)) escaped.Append(command);
            else if (c is '&' or '%' or '$' or '#' or '_' or '{' or '}') escaped.Append('\\').Append(c);
            // Two hyphens would become a dash.
            else if (c == '-' && escaped.Length > 0 && escaped[^1] == '-') escaped.Append("{}-");
            else escaped.Append(char.IsControl(c) ? ' ' : c);
        }

        return escaped.ToString();
    }

    private static string Needs(StringBuilder body)
    {
        var letters = body.ToString().Where(c => c > '~').Distinct().Order().ToArray();
        var foreign = body.ToString().EnumerateRunes().Where(rune => rune.Value > 0x24f).Distinct().OrderBy(rune => rune.Value).Take(10).ToArray();
        return (letters.Any(c => c <= '\u024f') ? "% needs \\usepackage[T1]{fontenc}\n" : "")
            + (foreign.Length > 0 ? $"% needs XeLaTeX or LuaLaTeX, and a font that has {string.Join(' ', foreign)}\n" : "");
    }
}
