using Ssti.Training.Pretraining;
using TorchSharp;

namespace Ssti.Training.Tests.Pretraining;

public sealed class PartThreadsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Each_part_has_a_thread_of_its_own_with_one_compute_thread_and_all_are_done_on_return(int parts)
    {
        var (threads, compute) = (new int[parts], new int[parts]);
        var done = 0;
        using var part = new PartThreads(parts);
        for (var round = 0; round < 50; round++)
        {
            part.Run(number =>
            {
                (threads[number], compute[number]) = (Environment.CurrentManagedThreadId, torch.get_num_threads());
                Interlocked.Increment(ref done);
            });
            Assert.Equal((round + 1) * parts, done);
        }

        Assert.Equal(Environment.CurrentManagedThreadId, threads[0]);
        Assert.Equal(parts, threads.Distinct().Count());
        if (parts > 1) Assert.All(compute, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_part_that_fails_fails_the_update_once(int failing)
    {
        using var threads = new PartThreads(2);
        var error = Assert.Throws<TrainingException>(() => threads.Run(part =>
        {
            if (part == failing) throw new TrainingException("no");
        }));
        Assert.Equal("no", error.Message);
        threads.Run(_ => { });
    }
}
