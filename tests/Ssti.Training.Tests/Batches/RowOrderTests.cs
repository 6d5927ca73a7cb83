using Ssti.Training.Batches;

namespace Ssti.Training.Tests.Batches;

public sealed class RowOrderTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(7, 3)]
    [InlineData(100, 100)]
    [InlineData(64, 128)]
    public void Every_epoch_visits_each_row_once_however_batches_cut_it(int rows, int batch)
    {
        var seen = Taken(rows, 40, batch, epochs: 4);
        foreach (var epoch in seen.Chunk(rows)) Assert.Equal(Enumerable.Range(0, rows), epoch.Order());
    }

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        var epochs = Taken(50, 40, 50, epochs: 3).Chunk(50).ToArray();
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
        Assert.NotEqual(epochs[0], Taken(50, 41, 50, epochs: 1));
        Assert.NotEqual(Enumerable.Range(0, 50), epochs[0]);
    }

    [Fact]
    public void The_order_is_a_function_of_seed_and_position_alone()
    {
        var whole = Taken(11, 40, 1, epochs: 6);
        var part = new int[4];
        for (var at = whole.Length - part.Length; at >= 0; at -= 3)
        {
            new RowOrder(11, 40).Fill(at, part);
            Assert.Equal(whole[at..(at + part.Length)], part);
        }
    }

    [Fact]
    public void Every_row_is_as_likely_in_every_place()
    {
        // 3000 permutations of 5: each of the 25 cells is binomial with mean 600 and deviation 21.9; 5 deviations.
        var counts = new int[5, 5];
        var order = new RowOrder(5, 7);
        var epoch = new int[5];
        for (var i = 0; i < 3000; i++)
        {
            order.Fill(i * 5L, epoch);
            for (var place = 0; place < 5; place++) counts[place, epoch[place]]++;
        }

        foreach (var count in counts) Assert.InRange(count, 490, 710);
    }

    private static int[] Taken(int rows, long seed, int batch, int epochs)
    {
        var order = new RowOrder(rows, seed);
        var part = new int[batch];
        var taken = new List<int>();
        for (long at = 0; at < (long)rows * epochs; at += batch)
        {
            order.Fill(at, part);
            taken.AddRange(part);
        }

        return [.. taken.Take(rows * epochs)];
    }
}
