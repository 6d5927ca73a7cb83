namespace Ssti.Stages.Tests;

public sealed class BesideTests
{
    [Fact]
    public void On_the_CPU_it_is_done_once_by_whoever_asks_and_not_before()
    {
        var (done, thread) = (0, 0);
        var work = new Beside<int>(() =>
        {
            thread = Environment.CurrentManagedThreadId;
            return ++done;
        }, now: false);
        Assert.True(work.IsReady);
        Assert.Equal(0, done);
        Assert.Equal((1, 1), (work.Value, work.Value));
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public void Beside_a_GPU_it_is_under_way_until_it_is_ready()
    {
        using var go = new ManualResetEventSlim();
        var work = new Beside<int>(() =>
        {
            go.Wait();
            return 7;
        }, now: true);
        Assert.False(work.IsReady);
        go.Set();
        Assert.Equal(7, work.Value);
        Assert.True(work.IsReady);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_it_threw_is_thrown_as_it_was_to_everybody_who_asks(bool now)
    {
        var work = new Beside<int>(() => throw new Engine.Stages.StageException("the sets do not fit"), now);
        Assert.Equal("the sets do not fit", Assert.Throws<Engine.Stages.StageException>(() => work.Value).Message);
        Assert.Throws<Engine.Stages.StageException>(() => work.Value);
        Assert.True(work.IsReady);
    }
}
