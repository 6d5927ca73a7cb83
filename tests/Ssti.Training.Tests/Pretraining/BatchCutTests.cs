using Ssti.Training.Pretraining;

namespace Ssti.Training.Tests.Pretraining;

public sealed class BatchCutTests
{
    [Theory]
    [InlineData(new[] { 5, 5, 5, 5 }, 2, new[] { 0, 2, 4 })]
    [InlineData(new[] { 2, 2, 2, 6 }, 2, new[] { 0, 3, 4 })]
    [InlineData(new[] { 2, 3, 4, 9 }, 1, new[] { 0, 4 })]
    [InlineData(new[] { 3, 3 }, 4, new[] { 0, 1, 2, 2, 2 })]
    public void The_largest_part_is_as_small_as_can_be(int[] lengths, int parts, int[] starts) => Assert.Equal(starts, BatchCut.Of(lengths, parts));

    [Fact]
    public void No_other_cut_in_two_is_better()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            int[] lengths = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(2, 40)).Order()];
            var starts = BatchCut.Of(lengths, 2);
            Assert.Equal((0, lengths.Length), (starts[0], starts[2]));
            Assert.Equal(Enumerable.Range(0, lengths.Length + 1).Min(Largest), Largest(starts[1]));

            int Largest(int at) => Math.Max(at == 0 ? 0 : at * lengths[at - 1], (lengths.Length - at) * lengths[^1]);
        }
    }
}
