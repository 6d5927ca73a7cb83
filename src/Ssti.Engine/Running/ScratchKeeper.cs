using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>
/// Keeps the scratch folders of stages in the store while they work, so that another machine can go on from a dead one's checkpoint.
/// </summary>
/// <remarks>
/// The newest copy of a key's scratch folder is a record under a key of its own (kind <c>scratch</c>, of that key), so that any store will do. It is
/// written now and then, and when the stage stops; once the stage is done it is removed. Only stages with tensors are kept: theirs are checkpoints, what others
/// leave are downloads that are as quickly made anew.
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="every">How long a change may wait to be kept.</param>
/// <param name="time">The clock.</param>
public sealed class ScratchKeeper(IArtifactStore store, TimeSpan every, TimeProvider time)
{
    /// <summary>Brings a key's scratch folder here as it was last kept, and keeps it from here on.</summary>
    /// <param name="order">The stage.</param>
    /// <param name="folder">The folder, which exists.</param>
    /// <param name="log">Takes a line.</param>
    /// <param name="cancellation">Stops.</param>
    internal async Task<Kept?> BeginAsync(WorkOrder order, string folder, Action<string> log, CancellationToken cancellation)
    {
        if (!order.Kind.UsesTensors) return null;
        var document = new JsonObject { ["schema"] = KeyDocument.Schema, ["kind"] = "scratch", ["of"] = order.Key.ToString() };
        var kept = new Kept(store, time, order, new KeyDocument(document), folder, log);
        await kept.RestoreAsync(cancellation).ConfigureAwait(false);
        kept.Start(every);
        return kept;
    }

    /// <summary>The scratch folder of one stage at work.</summary>
    internal sealed class Kept(IArtifactStore store, TimeProvider time, WorkOrder order, KeyDocument document, string folder, Action<string> log) : IAsyncDisposable
    {
        private readonly SemaphoreSlim _saving = new(1);
        private readonly CancellationTokenSource _stop = new();
        private Task _loop = Task.CompletedTask;
        private Tree? _last;
        private string _seen = "";
        private bool _forgotten;

        public async Task RestoreAsync(CancellationToken cancellation)
        {
            var hit = (await store.FindAsync([document.Key], cancellation).ConfigureAwait(false))[0].Hit;
            if (hit is null) return;
            _last = await store.TreeAsync(hit.Tree, cancellation).ConfigureAwait(false);
            // What is here may be older, from an attempt on this machine before the one that was kept.
            Directory.Delete(folder, recursive: true);
            await Exporter.ExportAsync(store, hit.Tree, folder, overwrite: true, cancellation).ConfigureAwait(false);
            _seen = Look();
            log($"goes on from a checkpoint of an earlier attempt ({_last.TotalSize} bytes)");
        }

        public void Start(TimeSpan every) => _loop = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(every, time);
            try
            {
                while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false)) await SaveAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
            }
        });

        /// <summary>The stage is done: removes what was kept, except what its outputs hold too.</summary>
        public async Task ForgetAsync(Tree output)
        {
            await EndAsync().ConfigureAwait(false);
            _forgotten = true;
            if (_last is null) return;
            await store.DeleteRecordAsync(document.Key, _last.Digest).ConfigureAwait(false);
            await DropAsync(_last, output).ConfigureAwait(false);
        }

        /// <summary>Keeps the last state of a stage that stopped on its way.</summary>
        public async ValueTask DisposeAsync()
        {
            await EndAsync().ConfigureAwait(false);
            if (!_forgotten) await SaveAsync(CancellationToken.None).ConfigureAwait(false);
            _stop.Dispose();
            _saving.Dispose();
        }

        private async Task EndAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _loop.ConfigureAwait(false);
        }

        // A checkpoint that cannot be kept costs time after a crash, and nothing else: the stage goes on.
        private async Task SaveAsync(CancellationToken cancellation)
        {
            await _saving.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                var looks = Look();
                if (looks == _seen || looks.Length == 0) return;
                var files = new List<TreeFile>();
                foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToList())
                {
                    await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
                    var blob = await store.PutAsync(file, cancellation).ConfigureAwait(false);
                    files.Add(new TreeFile(Path.GetRelativePath(folder, path).Replace('\\', '/'), blob.Digest, blob.Size));
                }

                // Written to meanwhile: the next look finds it at rest.
                if (Look() != looks) return;
                await RecordAsync(Tree.Of(files), cancellation).ConfigureAwait(false);
                _seen = looks;
            }
            catch (Exception e) when (e is IOException or StoreException or UnauthorizedAccessException)
            {
                log($"a checkpoint could not be kept: {e.Message}");
            }
            finally
            {
                _saving.Release();
            }
        }

        private async Task RecordAsync(Tree tree, CancellationToken cancellation)
        {
            var before = _last;
            if (before?.Digest == tree.Digest) return;
            await store.PutAsync(tree.Digest, new MemoryStream(tree.Json.ToArray()), cancellation).ConfigureAwait(false);
            var now = time.GetUtcNow();
            await store.PutRecordAsync(
                new ActionRecord
                {
                    Key = document.Key,
                    Tree = tree.Digest,
                    Files = tree.Files,
                    Document = document.ToJson(),
                    Pipeline = order.Pipeline,
                    Stage = order.Stage,
                    Run = order.Run,
                    Started = now,
                    Finished = now,
                    Durations = new ActionDurations(0, 0, 0, 0),
                },
                cancellation).ConfigureAwait(false);
            _last = tree;
            if (before is null) return;
            await store.DeleteRecordAsync(document.Key, before.Digest, cancellation).ConfigureAwait(false);
            await DropAsync(before, tree).ConfigureAwait(false);
        }

        private async Task DropAsync(Tree old, Tree held)
        {
            var stay = held.Files.Select(file => file.Digest).ToHashSet();
            foreach (var file in old.Files.Where(file => !stay.Contains(file.Digest))) await store.DeleteBlobAsync(file.Digest).ConfigureAwait(false);
            if (old.Digest != held.Digest) await store.DeleteBlobAsync(old.Digest).ConfigureAwait(false);
        }

        private string Look() => string.Join('\n', new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(file => $"{file.FullName} {(file.Exists ? file.Length : -1)} {file.LastWriteTimeUtc.Ticks}"));
    }
}
