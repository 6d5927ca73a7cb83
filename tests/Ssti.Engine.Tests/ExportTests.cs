using System.Reflection;
using Ssti.Engine.Records;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Engine.Tests;

/// <summary>An export is there whole, or not at all: whatever fails on the way, and whoever interrupts it.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_interrupted_or_fails_midway_leaves_nothing_and_changes_nothing(bool cancel)
    {
        var run = await _box.Run(_box.Load(Two));
        var trees = run.Stages.Select(stage => (stage.Tree!.Value, stage.Instance.Name)).ToList();
        // A folder that is not there, in one that is not; and one that is, with files that are to be replaced.
        var there = Path.Combine(_box.Folder, "there");
        Directory.CreateDirectory(Path.Combine(there, "a"));
        File.WriteAllText(Path.Combine(there, "a", "text.txt"), "mine");
        var before = Paths();
        foreach (var folder in (string[])[Path.Combine(_box.Folder, "new", "er"), there])
        {
            using var source = new CancellationTokenSource();
            var store = StopAtSecond.Of(_box.Store, () =>
            {
                if (!cancel) throw new StoreException("the disk is gone");
                source.Cancel();
            });
            var error = await Assert.ThrowsAnyAsync<Exception>(() => Exporter.ExportAsync(store, trees, folder, overwrite: true, source.Token));
            Assert.True(cancel ? error is OperationCanceledException : error is StoreException { Message: "the disk is gone" }, error.ToString());
        }

        Assert.Equal(before, Paths());
        Assert.Equal("mine", File.ReadAllText(Path.Combine(there, "a", "text.txt")));
        Assert.Equal([1, 1], await Exporter.ExportAsync(_box.Store, trees, there, overwrite: true));
        Assert.NotEqual("mine", File.ReadAllText(Path.Combine(there, "a", "text.txt")));
        Assert.DoesNotContain(Paths(), path => path.Contains(".ssti-export", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_archive_that_cannot_be_written_whole_is_not_there_and_does_not_touch_what_was()
    {
        var run = await _box.Run(_box.Load(Two));
        var past = new RunHistory(_box.Workspace).Runs().First();
        var path = Path.Combine(_box.Folder, "run.tar");
        File.WriteAllText(path, "an older one");
        File.WriteAllText(path + ".tmp", "the user's");
        var before = Paths();
        foreach (var failing in (Action[])[() => throw new IOException("no space left on device"), () => throw new OperationCanceledException()])
        {
            await Assert.ThrowsAnyAsync<Exception>(() => new RunArchive(StopAtSecond.Of(_box.Store, failing), _box.Workspace).ExportAsync(past, path));
            Assert.Equal(before, Paths());
            Assert.Equal(("an older one", "the user's"), (File.ReadAllText(path), File.ReadAllText(path + ".tmp")));
        }

        Assert.Equal(2, run.Stages.Count);
        Assert.True(await new RunArchive(_box.Store, _box.Workspace).ExportAsync(past, path) > 4);
        Assert.Equal("the user's", File.ReadAllText(path + ".tmp"));
    }

    [Fact]
    public async Task A_file_where_a_folder_must_be_is_told_before_anything_is_written()
    {
        var run = await _box.Run(_box.Load(Two));
        var folder = Path.Combine(_box.Folder, "out");
        Directory.CreateDirectory(Path.Combine(folder, "a", "text.txt"));
        File.WriteAllText(Path.Combine(folder, "b"), "");
        foreach (var stage in run.Stages)
        {
            var error = await Assert.ThrowsAsync<StoreException>(() => Exporter.ExportAsync(_box.Store, [(stage.Tree!.Value, stage.Instance.Name)], folder, overwrite: true));
            Assert.Contains("is in the way; choose another folder", error.Message);
        }
    }

    private const string Two = "stages: { a: { uses: text, with: { text: one } }, b: { uses: text, with: { text: two } } }";

    private string[] Paths() => [.. Directory.GetFileSystemEntries(_box.Folder, "*", SearchOption.AllDirectories)
        .Where(path => !path.StartsWith(_box.Store.Location, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>A store that does something when content is asked of it for the second time.</summary>
    public class StopAtSecond : DispatchProxy
    {
        private IArtifactStore _store = null!;
        private Action _stop = null!;
        private int _asked;

        public static IArtifactStore Of(IArtifactStore store, Action stop)
        {
            var proxy = Create<IArtifactStore, StopAtSecond>();
            ((StopAtSecond)(object)proxy)._store = store;
            ((StopAtSecond)(object)proxy)._stop = stop;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? method, object?[]? arguments)
        {
            if (method!.Name is nameof(IArtifactStore.LocalPathAsync) or nameof(IArtifactStore.RehashAsync) && Interlocked.Increment(ref _asked) >= 2) _stop();
            try
            {
                return method.Invoke(_store, arguments);
            }
            catch (TargetInvocationException e)
            {
                throw e.InnerException!;
            }
        }
    }
}
