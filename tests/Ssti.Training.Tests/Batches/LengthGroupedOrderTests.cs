using Ssti.Training.Batches;

namespace Ssti.Training.Tests.Batches;

public sealed class LengthGroupedOrderTests
{
    // Sixteen batches of four: what is sorted together is one epoch.
    private const int Count = 64, BatchSize = 4;

    private static readonly int[] Lengths = [.. Enumerable.Range(0, Count).Select(row => 3 + (row * 7 % 20))];

    [Fact]
    public void Every_epoch_visits_each_row_once()
    {
        foreach (var epoch in Taken(40, epochs: 3).Chunk(Count)) Assert.Equal(Enumerable.Range(0, Count), epoch.Order());
    }

    [Fact]
    public void An_epoch_that_ends_within_a_group_visits_each_row_as_often_as_any()
    {
        // 64 rows are drawn at a time from epochs of 10: after five of those, 32 epochs are over.
        var order = new LengthGroupedOrder(Lengths[..10], BatchSize, 40);
        var counts = new int[10];
        var batch = new int[BatchSize];
        for (var at = 0; at < 5 * Count; at += BatchSize)
        {
            order.Fill(at, batch);
            foreach (var row in batch) counts[row]++;
        }

        Assert.All(counts, count => Assert.Equal(32, count));
    }

    [Fact]
    public void Rows_of_a_batch_are_of_about_the_same_length()
    {
        var grouped = Padded(Taken(40, epochs: 3));
        var plain = new int[3 * Count];
        new RowOrder(Count, 40).Fill(0, plain);
        Assert.True(grouped < 1.1 * 3 * Lengths.Sum(), $"{grouped} tokens with padding, {3 * Lengths.Sum()} without");
        Assert.True(Padded(plain) > 1.3 * 3 * Lengths.Sum());

        static int Padded(int[] rows) => rows.Chunk(BatchSize).Sum(batch => BatchSize * batch.Max(row => Lengths[row]));
    }

    [Fact]
    public void Short_batches_do_not_come_first()
    {
        var longest = Taken(40, epochs: 1).Chunk(BatchSize).Select(batch => batch.Max(row => Lengths[row])).ToArray();
        Assert.NotEqual(longest.Order(), longest);
        Assert.NotEqual(longest, Taken(40, epochs: 2)[Count..].Chunk(BatchSize).Select(batch => batch.Max(row => Lengths[row])));
    }

    [Fact]
    public void The_order_is_a_function_of_seed_and_position_alone()
    {
        var whole = Taken(40, epochs: 3);
        Assert.NotEqual(whole, Taken(41, epochs: 3));
        var batch = new int[BatchSize];
        for (var at = whole.Length - BatchSize; at >= 0; at -= 3 * BatchSize)
        {
            new LengthGroupedOrder(Lengths, BatchSize, 40).Fill(at, batch);
            Assert.Equal(whole[at..(at + BatchSize)], batch);
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(2, 4)]
    public void What_is_no_batch_is_refused(int position, int count) =>
        Assert.Throws<ArgumentException>(() => new LengthGroupedOrder(Lengths, BatchSize, 40).Fill(position, new int[count]));

    private static int[] Taken(long seed, int epochs)
    {
        var order = new LengthGroupedOrder(Lengths, BatchSize, seed);
        var taken = new int[epochs * Count];
        for (var at = 0; at < taken.Length; at += BatchSize) order.Fill(at, taken.AsSpan(at, BatchSize));
        return taken;
    }
}
