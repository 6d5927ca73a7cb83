using Ssti.Store.Files;

namespace Ssti.Store.Tests;

public sealed class FileLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-lock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void One_holds_it_and_nothing_is_left_when_it_is_let_go()
    {
        var path = Path.Combine(_folder, "k");
        using (var held = FileLock.TryTake(path))
        {
            Assert.NotNull(held);
            Assert.Null(FileLock.TryTake(path));
        }

        Assert.Empty(Directory.GetFiles(_folder));
        using var again = FileLock.TryTake(path);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task Never_two_at_once_however_many_ask()
    {
        var path = Path.Combine(_folder, "k");
        int inside = 0, most = 0, total = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
            {
                using var held = await FileLock.TakeAsync(path, null, CancellationToken.None);
                most = Math.Max(most, Interlocked.Increment(ref inside));
                total++;
                await Task.Yield();
                Interlocked.Decrement(ref inside);
            }
        })));

        Assert.Equal((1, 200), (most, total));
    }

    [Fact]
    public void Users_share_it_and_an_owner_does_not()
    {
        var path = Path.Combine(_folder, "use");
        using (var a = FileLock.TryTakeShared(path))
        using (var b = FileLock.TryTakeShared(path))
        {
            Assert.NotNull(a);
            Assert.NotNull(b);
            Assert.Null(FileLock.TryTakeAlone(path));
        }

        using var owner = FileLock.TryTakeAlone(path);
        Assert.NotNull(owner);
        Assert.Null(FileLock.TryTakeShared(path));
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        using var held = FileLock.TryTake(Path.Combine(_folder, "k"));
        using var stop = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FileLock.TakeAsync(Path.Combine(_folder, "k"), null, stop.Token));
    }
}
