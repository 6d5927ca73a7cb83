using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class TableTextTests
{
    private static readonly Table Table = new(
        "A table, 50 % & more_",
        [new("row", "row", Align.Left), new("predicted_0", "predicted 0", Unit: "rows"), new("asr", "ASR", Unit: "fraction")],
        [
            [
                new TextCell("[base] a|b, \"c\""),
                new NumberCell(NumberFormat.Count, 14003, 0.56012),
                new ListCell([new("neg", new NumberCell(NumberFormat.Percent, 0.071)), new("pos", new NumberCell(NumberFormat.Percent, 0.088))]),
            ],
            [
                new TextCell("token"),
                new NumberCell(NumberFormat.Count, 24686.5, 0.98746, new(SpreadKind.Range, 24601, 24772)),
                new NumberCell(NumberFormat.Percent, 0.99, Spread: new(SpreadKind.Range, 0.98, 1)),
            ],
            [new TextCell("none"), TextCell.Empty, TextCell.Undefined],
        ],
        ["A note with 100 % of $5_."]);

    [Fact]
    public void Markdown_is_padded_and_escaped() => Assert.Equal(
        """
        **A table, 50 % & more\_**

        | row              |                    predicted 0 |                    ASR |
        | :--------------- | -----------------------------: | ---------------------: |
        | [base] a\|b, "c" |                 14003 (56.0 %) | neg: 7.1 %, pos: 8.8 % |
        | token            | 24686.5 (98.7 %) [24601–24772] |    99.0 % [98.0–100.0] |
        | none             |                                |                      – |

        - A note with 100 % of $5\_.

        """,
        Table.ToMarkdown());

    [Fact]
    public void Csv_has_bare_numbers_and_a_field_for_each_part() => Assert.Equal(
        "row,predicted_0,predicted_0_share,predicted_0_min,predicted_0_max,asr_neg,asr_pos,asr,asr_min,asr_max\r\n"
        + "\"[base] a|b, \"\"c\"\"\",14003,0.56012,,,0.071,0.088,,,\r\n"
        + "token,24686.5,0.98746,24601,24772,,,0.99,0.98,1\r\n"
        + "none,,,,,,,,,\r\n",
        Table.ToCsv());

    [Fact]
    public void Console_text_is_aligned_without_trailing_spaces()
    {
        var lines = Table.ToConsole().Split('\n');
        Assert.Equal("row             ", lines[2][..16]);
        Assert.Equal("token            24686.5 (98.7 %) [24601–24772]     99.0 % [98.0–100.0]", lines[5]);
        Assert.All(lines, line => Assert.Equal(line.TrimEnd(), line));
    }

    [Fact]
    public void Json_reads_back_as_the_same_table()
    {
        var json = Table.ToJson();
        Assert.Equal(json, Table.FromJson(json).ToJson());
        Assert.Equal(Table.ToMarkdown(), Table.FromJson(json).ToMarkdown());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1")]
    public void What_is_no_table_is_refused(string json) => Assert.Throws<FormatException>(() => Table.FromJson(json));

    [Fact]
    public void A_row_with_too_few_cells_is_refused() =>
        Assert.Throws<ArgumentException>(() => new Table("t", [new("a", "a"), new("b", "b")], [[TextCell.Empty]], []));

    [Theory]
    [InlineData(NumberFormat.Count, 25000, "25000")]
    [InlineData(NumberFormat.Count, 12342.3333, "12342.3")]
    [InlineData(NumberFormat.Percent, 0.98765, "98.8 %")]
    [InlineData(NumberFormat.Percent, 0, "0.0 %")]
    [InlineData(NumberFormat.Percent, 1, "100.0 %")]
    [InlineData(NumberFormat.Points, 49.66, "+49.7 pp")]
    [InlineData(NumberFormat.Points, -3.25, "-3.2 pp")]
    [InlineData(NumberFormat.Points, -0.01, "0.0 pp")]
    [InlineData(NumberFormat.Decimal, 0.99349, "0.993")]
    public void Numbers_follow_one_rule_each(NumberFormat format, double value, string expected) =>
        Assert.Equal(expected, new NumberCell(format, value).ToString());

    [Fact]
    public void A_deviation_has_no_sign_of_its_own()
    {
        Assert.Equal("+49.7 pp ±0.3", new NumberCell(NumberFormat.Points, 49.7, Spread: new(SpreadKind.Deviation, 0.3, 0.3)).ToString());
        Assert.Equal("100 ±2.0", new NumberCell(NumberFormat.Count, 100, Spread: new(SpreadKind.Deviation, 2, 2)).ToString());
    }
}
