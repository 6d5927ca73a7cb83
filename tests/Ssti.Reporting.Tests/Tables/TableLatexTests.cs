using System.Globalization;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

/// <summary>What a paper includes: LaTeX that compiles, and the same bytes wherever it is exported.</summary>
public sealed class TableLatexTests
{
    private static readonly Table Hard = new(
        "Table 1: 50 % & more_, κ ≥ 0.1 – «ß»",
        [
            new("row", "row", Align.Left), new("predicted_0", "predicted neg", Unit: "rows", Definition: "rows assigned"),
            new("predicted_1", "predicted pos", Unit: "rows", Definition: "rows assigned"), new("asr", "ASR", Unit: "fraction", Definition: "attack success rate"),
            new("gap", "gap", Unit: "pp"),
        ],
        [
            [
                new TextCell("[base] a|b, \"c\" --^~`{}\\<br>"), new NumberCell(NumberFormat.Count, 14003, 0.56012), new NumberCell(NumberFormat.Count, 10997, 0.43988),
                new ListCell([new("neg_1", new NumberCell(NumberFormat.Percent, 0.071)), new("pos", new NumberCell(NumberFormat.Percent, 0.088))]),
                new NumberCell(NumberFormat.Points, -3.25, Spread: new(SpreadKind.Confidence, -5, -1.5)),
            ],
            [
                new TextCell("token #1"), new NumberCell(NumberFormat.Count, 24686.5, 0.98746, new(SpreadKind.Range, 24601, 24772)), TextCell.Empty,
                new NumberCell(NumberFormat.Percent, 0.99, Spread: new(SpreadKind.Range, 0.98, 1)),
                new NumberCell(NumberFormat.Points, 49.7, Spread: new(SpreadKind.Deviation, 0.3, 0.3)),
            ],
            [new TextCell("none"), TextCell.Undefined, TextCell.Undefined, TextCell.Undefined, TextCell.Undefined],
        ],
        ["Predicted: rows assigned.", "ASR: attack success rate.", "Warning: a cut took 100 % of $5_ away."]) { Profile = "smoke" };

    [Fact]
    public void It_is_a_booktabs_table_with_marks_for_definitions_and_escaped_text() => Assert.Equal(
        """
        % needs \usepackage{booktabs,graphicx}
        % needs \usepackage[T1]{fontenc}
        \begin{table}
          \centering
          \caption{Table 1: 50 \% \& more\_, $\kappa$ $\geq$ 0.1 -- «ß»}
          \label{tab:table-1-50-more-0-1}
          \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
          \begin{tabular}{lrrrr}
            \toprule
            row & predicted neg\textsuperscript{a} & predicted pos\textsuperscript{a} & ASR\textsuperscript{b} & gap \\
            \midrule
            {}[base] a\textbar{}b, "c" -{}-\textasciicircum{}\textasciitilde{}\textasciigrave{}\{\}\textbackslash{}\textless{}br\textgreater{}
        """ + """
         & 14003 (56.0\,\%) & 10997 (44.0\,\%) & neg\_1: 7.1\,\%, pos: 8.8\,\% & $-$3.2\,pp [$-$5.0--{}$-$1.5] \\
            token \#1 & 24686.5 (98.7\,\%) [24601--24772] &  & 99.0\,\% [98.0--100.0] & +49.7\,pp $\pm$0.3 \\
            none & -- & -- & -- & -- \\
            \bottomrule
          \end{tabular}}

          \medskip
          \begin{minipage}{\linewidth}
            \footnotesize\raggedright
            Profile: smoke.\par
            \textsuperscript{a}\,Predicted: rows assigned.\par
            \textsuperscript{b}\,ASR: attack success rate.\par
            Warning: a cut took 100 \% of \$5\_ away.\par
          \end{minipage}
        \end{table}

        """,
        Hard.ToLatex());

    [Fact]
    public void Letters_that_pdflatex_lacks_are_named_and_a_title_without_any_still_has_a_label()
    {
        var latex = new Table("Ж", [new("a", "a")], [[new TextCell("中 😀")]], []).ToLatex();
        Assert.Contains("% needs XeLaTeX or LuaLaTeX, and a font that has Ж 中 😀\n", latex);
        Assert.Contains("\\label{tab:table}", latex);
        Assert.DoesNotContain("minipage", latex);
    }

    [Theory]
    [InlineData(".", ",", "-", "Invariant, en-US")]
    [InlineData(",", "\u00a0", "-", "ru-RU")]
    [InlineData(",", "\u00a0", "\u2212", "sv-SE")]
    public void Every_format_is_the_same_under_every_culture(string point, string group, string minus, string name)
    {
        var expected = Formats();
        var before = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        try
        {
            // The program carries no data of cultures; here is what another host has of these.
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (point, group, minus);
            culture.NumberFormat.PercentDecimalSeparator = point;
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
            Assert.True(0.5.ToString("F1", culture)[1..2] == point, name);
            Assert.Equal(expected, Formats());
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = before;
        }
    }

    private static string[] Formats() => [Hard.ToMarkdown(), Hard.ToCsv(), Hard.ToLatex(), Hard.ToJson(), Hard.ToConsole(), Hard.ToConsole(60)];
}
