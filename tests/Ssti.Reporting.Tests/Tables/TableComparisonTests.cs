using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class TableComparisonTests
{
    private static readonly Column[] Columns = [new("row", "row", Align.Left), new("n", "rows"), new("acc", "accuracy")];

    [Fact]
    public void Equal_tables_do_not_differ() => Assert.Empty(Compare(Of(("a", 1, 0.5)), Of(("a", 1, 0.5))));

    [Fact]
    public void A_cell_is_known_by_its_row_and_column_whatever_their_order()
    {
        var before = Of(("a", 1, 0.5), ("b", 2, 0.25));
        var after = Of(("b", 2, 0.75), ("a", 1, 0.5));
        Assert.Equal([("b", "accuracy", "25.0 % | 75.0 %")], Compare(before, after));
    }

    [Fact]
    public void Numbers_that_round_alike_are_given_in_full() =>
        Assert.Equal([("a", "accuracy", "0.5 | 0.50001")], Compare(Of(("a", 1, 0.5)), Of(("a", 1, 0.50001))));

    [Fact]
    public void Rows_and_columns_may_come_and_go()
    {
        var wider = new Table("t", [.. Columns, new("more", "more")], [[new TextCell("a"), Count(1), Share(0.5), Count(9)]], []);
        Assert.Equal([("a", "more", "- | 9")], Compare(Of(("a", 1, 0.5)), wider));
        Assert.Equal([("b", "rows", "2 | -"), ("b", "accuracy", "25.0 % | -")],
            Compare(Of(("a", 1, 0.5), ("b", 2, 0.25)), Of(("a", 1, 0.5))));
        Assert.Equal(2, Compare(null, Of(("a", 1, 0.5))).Length);
        Assert.Empty(Compare(null, null));
    }

    [Fact]
    public void Rows_that_begin_alike_are_told_apart_by_their_number() =>
        Assert.Equal([("a (2)", "rows", "2 | 3")], Compare(Of(("a", 1, 0.5), ("a", 2, 0.5)), Of(("a", 1, 0.5), ("a", 3, 0.5))));

    [Fact]
    public void Any_number_of_versions_are_put_side_by_side_and_none_of_two_that_differ_looks_like_the_other() =>
        Assert.Equal([("a", "rows", "1 | 2 | -"), ("a", "accuracy", "0.5 | 0.50001 | -"), ("b", "rows", "- | - | 3"), ("b", "accuracy", "- | - | 25.0 %")],
            Compare(Of(("a", 1, 0.5)), Of(("a", 2, 0.50001)), Of(("b", 3, 0.25))).OrderBy(cell => cell.Row).ThenByDescending(cell => cell.Column));

    private static (string Row, string Column, string Values)[] Compare(params Table?[] versions) =>
        [.. TableComparison.Compare(versions).Select(cell => (cell.Row, cell.Column, string.Join(" | ", cell.Values.Select(value => value ?? "-"))))];

    private static Table Of(params (string Row, double Count, double Share)[] rows) =>
        new("t", Columns, [.. rows.Select(row => (IReadOnlyList<Cell>)[new TextCell(row.Row), Count(row.Count), Share(row.Share)])], []);

    private static NumberCell Count(double value) => new(NumberFormat.Count, value);

    private static NumberCell Share(double value) => new(NumberFormat.Percent, value);
}
