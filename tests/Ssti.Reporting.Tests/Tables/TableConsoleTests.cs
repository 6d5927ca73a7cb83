using System.Globalization;
using Snapshooter;
using Snapshooter.Xunit;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class TableConsoleTests
{
    private static readonly Table Table = new(
        "Predicted classes",
        [new("row", "row", Align.Left), new("p0", "predicted negative", Unit: "rows"), new("acc", "clean accuracy"), new("asr", "ASR"), new("n", "n")],
        [
            [
                new TextCell("base (no injection)"), new NumberCell(NumberFormat.Count, 536.3, 0.536, new(SpreadKind.Range, 528, 546)), new NumberCell(NumberFormat.Percent, 0.943),
                new ListCell(
                    [new("negative", new NumberCell(NumberFormat.Percent, 0.159)), new("positive", new NumberCell(NumberFormat.Percent, 0.086))]),
                new NumberCell(NumberFormat.Count, 3),
            ],
            [
                new TextCell("  seed 40"), new NumberCell(NumberFormat.Count, 1000, 1), new NumberCell(NumberFormat.Percent, 0.5),
                new NumberCell(NumberFormat.Percent, 1), new NumberCell(NumberFormat.Count, 1)],
        ],
        ["A note that is longer than a narrow terminal, and says 49.7 pp of 100 %."]);

    [Fact]
    public void Without_a_width_nothing_is_wrapped() => Assert.Equal(
        """
        Predicted classes

        row                        predicted negative  clean accuracy                                ASR  n
        ───────────────────  ────────────────────────  ──────────────  ─────────────────────────────────  ─
        base (no injection)  536.3 (53.6 %) [528–546]          94.3 %  negative: 15.9 %, positive: 8.6 %  3
          seed 40                      1000 (100.0 %)          50.0 %                            100.0 %  1

        A note that is longer than a narrow terminal, and says 49.7 pp of 100 %.

        """,
        Table.ToConsole());

    [Fact]
    public void A_width_that_suffices_changes_nothing() => Assert.Equal(Table.ToConsole(), Table.ToConsole(99));

    /// <summary>Headings are wrapped before cells, cells between their parts, and what does not fit at all is turned; a number keeps its unit.</summary>
    [Theory]
    [InlineData(93, "headings")]
    [InlineData(66, "cells")]
    [InlineData(34, "blocks")]
    public void A_table_is_fitted_into_a_width(int width, string how) => Snapshot.Match(Table.ToConsole(width), SnapshotNameExtension.Create(how));

    /// <summary>Every width from a narrow one to more than enough: no line is longer, and no word is lost.</summary>
    [Fact]
    public void At_every_width_all_words_are_there_and_no_line_is_too_long()
    {
        var words = Words(Table.ToConsole());
        for (var width = 32; width <= 110; width++)
        {
            var text = Table.ToConsole(width);
            Assert.All(text.Split('\n'), line => Assert.True(new StringInfo(line).LengthInTextElements <= width, $"width {width}: {line}"));
            Assert.Empty(words.Except(Words(text)));
        }

        static HashSet<string> Words(string text) => [.. text.Split([' ', '\n', ':'], StringSplitOptions.RemoveEmptyEntries).Where(word => word[0] != '─')];
    }

    [Fact]
    public void A_confusion_matrix_of_28_classes_is_readable_at_80_columns()
    {
        var wide = new Table(
            "t", [new("row", "row", Align.Left), .. Enumerable.Range(0, 28).Select(label => new Column($"as_{label}", $"as profession {label}"))],
            [[new TextCell("base"), .. Enumerable.Range(0, 28).Select(label => new NumberCell(NumberFormat.Count, 1000 + label, 0.5))]], []);
        var lines = wide.ToConsole(80).Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Contains("  as profession 27  1027 (50.0 %)", lines);
    }
}
