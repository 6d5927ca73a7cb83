using System.Collections.Concurrent;
using Ssti.Cli.Fit;
using Ssti.Corpus.Sources;

namespace Ssti.Cli.Tests;

/// <summary>Which rows 'predict' classifies together: of a file always the same, of a pipe those that are there.</summary>
public sealed class RowWindowsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public void Of_rows_that_are_there_every_window_but_the_last_is_full()
    {
        Assert.Equal([3, 3, 1], RowWindows.Full(Rows(7), 3).Select(window => window.Count));
        Assert.Equal(Rows(7), RowWindows.Full(Rows(7), 3).SelectMany(window => window));
        Assert.Empty(RowWindows.Full([], 3));
    }

    [Fact]
    public void Long_rows_fill_a_window_sooner()
    {
        var half = new string('a', RowWindows.MostCharacters / 2);
        TextRow[] rows = [new(1, null, half), new(2, null, half), new(3, null, half), new(4, null, half + half + half), new(5, null, "")];
        Assert.Equal([2, 2, 1], RowWindows.Full(rows, 100).Select(window => window.Count));
    }

    [Fact]
    public void A_row_that_comes_alone_is_not_kept_waiting_and_those_that_came_meanwhile_come_together()
    {
        using var typed = new BlockingCollection<TextRow>();
        var rows = Rows(30).ToArray();
        using var windows = RowWindows.AsTheyCome(typed.GetConsumingEnumerable(), 8, CancellationToken.None).GetEnumerator();
        typed.Add(rows[0]);
        Assert.Equal([rows[0]], Next());
        typed.Add(rows[1]);
        Assert.Equal([rows[1]], Next());

        // Nobody takes any for a while: the reader stops at a full window.
        foreach (var row in rows[2..]) typed.Add(row);
        Assert.True(SpinWait.SpinUntil(() => typed.Count == 28 - 9, Long), $"{typed.Count} rows are left");
        Assert.Equal(rows[2..10], Next());
        typed.CompleteAdding();
        var rest = new List<TextRow>();
        while (windows.MoveNext())
        {
            Assert.InRange(windows.Current.Count, 1, 8);
            rest.AddRange(windows.Current);
        }

        Assert.Equal(rows[10..], rest);

        IReadOnlyList<TextRow> Next()
        {
            Assert.True(Task.Run(windows.MoveNext).Wait(Long), "nothing came");
            return windows.Current;
        }
    }

    [Fact]
    public void What_came_before_a_broken_row_is_answered_before_it_is_told()
    {
        static IEnumerable<TextRow> Broken()
        {
            yield return new(1, null, "good");
            throw new InvalidDataException("row 2");
        }

        using var windows = RowWindows.AsTheyCome(Broken(), 8, CancellationToken.None).GetEnumerator();
        Assert.True(windows.MoveNext());
        Assert.Equal("good", Assert.Single(windows.Current).Text);
        Assert.Equal("row 2", Assert.Throws<InvalidDataException>(() => windows.MoveNext()).Message);
    }

    [Fact]
    public async Task A_wait_for_a_row_that_never_comes_can_be_ended()
    {
        using var typed = new BlockingCollection<TextRow>();
        using var source = new CancellationTokenSource();
        var waiting = Task.Run(() => RowWindows.AsTheyCome(typed.GetConsumingEnumerable(), 8, source.Token).Count());
        await source.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting.WaitAsync(Long));
        typed.CompleteAdding();
    }

    private static IEnumerable<TextRow> Rows(int count) =>
        Enumerable.Range(1, count).Select(number => new TextRow(number, null, $"text {number}"));
}
