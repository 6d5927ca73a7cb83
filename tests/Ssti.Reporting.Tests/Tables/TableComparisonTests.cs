using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Tests.Tables;

public sealed class TableComparisonTests
{
    private static readonly Column[] Columns = [new("row", "row", Align.Left), new("n", "rows"), new("acc", "accuracy")];

    [Fact]
    public void Equal_tables_do_not_differ() => Assert.Empty(TableComparison.Compare(Of(("a", 1, 0.5)), Of(("a", 1, 0.5))));

    [Fact]
    public void A_cell_is_known_by_its_row_and_column_whatever_their_order()
    {
        var before = Of(("a", 1, 0.5), ("b", 2, 0.25));
        var after = Of(("b", 2, 0.75), ("a", 1, 0.5));
        Assert.Equal([new CellDifference("b", "accuracy", "25.0 %", "75.0 %")], TableComparison.Compare(before, after));
    }

    [Fact]
    public void Numbers_that_round_alike_are_given_in_full() =>
        Assert.Equal([new CellDifference("a", "accuracy", "0.5", "0.50001")], TableComparison.Compare(Of(("a", 1, 0.5)), Of(("a", 1, 0.50001))));

    [Fact]
    public void Rows_and_columns_may_come_and_go()
    {
        var wider = new Table("t", [.. Columns, new("more", "more")], [[new TextCell("a"), Count(1), Share(0.5), Count(9)]], []);
        Assert.Equal([new CellDifference("a", "more", null, "9")], TableComparison.Compare(Of(("a", 1, 0.5)), wider));
        Assert.Equal([new CellDifference("b", "rows", "2", null), new CellDifference("b", "accuracy", "25.0 %", null)],
            TableComparison.Compare(Of(("a", 1, 0.5), ("b", 2, 0.25)), Of(("a", 1, 0.5))));
        Assert.Equal(2, TableComparison.Compare(null, Of(("a", 1, 0.5))).Count);
        Assert.Empty(TableComparison.Compare(null, null));
    }

    [Fact]
    public void Rows_that_begin_alike_are_told_apart_by_their_number() =>
        Assert.Equal([new CellDifference("a (2)", "rows", "2", "3")], TableComparison.Compare(Of(("a", 1, 0.5), ("a", 2, 0.5)), Of(("a", 1, 0.5), ("a", 3, 0.5))));

    private static Table Of(params (string Row, double Count, double Share)[] rows) =>
        new("t", Columns, [.. rows.Select(row => (IReadOnlyList<Cell>)[new TextCell(row.Row), Count(row.Count), Share(row.Share)])], []);

    private static NumberCell Count(double value) => new(NumberFormat.Count, value);

    private static NumberCell Share(double value) => new(NumberFormat.Percent, value);
}
