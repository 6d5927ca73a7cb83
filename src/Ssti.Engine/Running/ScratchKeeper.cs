using System.Formats.Tar;
using System.Text;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>
/// Keeps the checkpoints of stages in the store while they work, so that another machine can go on from a dead one's: files of a scratch folder whose names
/// begin with <c>checkpoint</c>.
/// </summary>
/// <remarks>
/// The newest copy is a record under a key of its own (kind <c>scratch</c>, of the stage's key), so that any store will do. It is written now and then, and when
/// the stage stops; once the stage is done it is removed. The files travel in an archive that begins with the stage's key: no artifact can have the same bytes,
/// and so removing it takes nothing from anybody.
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="every">How long a change may wait to be kept.</param>
/// <param name="time">The clock.</param>
public sealed class ScratchKeeper(IArtifactStore store, TimeSpan every, TimeProvider time)
{
    private const string Pattern = "checkpoint*", Archive = "scratch.tar", KeyEntry = "key", Unfinished = ".part";

    /// <summary>Brings a key's checkpoints here as they were last kept, and keeps them from here on.</summary>
    /// <param name="order">The stage.</param>
    /// <param name="folder">The scratch folder, which exists.</param>
    /// <param name="log">Takes a line.</param>
    /// <param name="cancellation">Stops.</param>
    internal async Task<Kept> BeginAsync(WorkOrder order, string folder, Action<string> log, CancellationToken cancellation)
    {
        var kept = new Kept(store, time, order, new OwnRecord(store, "scratch", "of", order.Key.ToString()), folder, log);
        await kept.RestoreAsync(cancellation).ConfigureAwait(false);
        kept.Start(every);
        return kept;
    }

    /// <summary>The checkpoints of one stage at work.</summary>
    internal sealed class Kept(IArtifactStore store, TimeProvider time, WorkOrder order, OwnRecord record, string folder, Action<string> log) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private Task _loop = Task.CompletedTask;
        private Tree? _last;
        private string _seen = "";
        private bool _forgotten;

        public async Task RestoreAsync(CancellationToken cancellation)
        {
            if (await record.FindAsync(cancellation).ConfigureAwait(false) is not { } hit) return;
            _last = await store.TreeAsync(hit.Tree, cancellation).ConfigureAwait(false);
            // What is here may be older, from an attempt on this machine before the one that was kept.
            foreach (var old in Files()) old.Delete();
            await using var stream = await store.OpenReadAsync(_last.Files[0].Digest, cancellation).ConfigureAwait(false);
            await using var archive = new TarReader(stream);
            while (await archive.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is { } entry)
            {
                if (entry.Name == KeyEntry) continue;
                var path = Path.GetFullPath(Path.Combine(folder, entry.Name));
                if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                    throw new StoreException($"a checkpoint of {order.Stage} leads out of its folder: {entry.Name}");
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await entry.ExtractToFileAsync(path, overwrite: true, cancellation).ConfigureAwait(false);
            }

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

        /// <summary>The stage is done: removes what was kept.</summary>
        public async Task ForgetAsync()
        {
            await EndAsync().ConfigureAwait(false);
            _forgotten = true;
            if (_last is { } last) await DropAsync(last, CancellationToken.None).ConfigureAwait(false);
        }

        /// <summary>Keeps the last state of a stage that stopped on its way.</summary>
        public async ValueTask DisposeAsync()
        {
            await EndAsync().ConfigureAwait(false);
            if (!_forgotten) await SaveAsync(CancellationToken.None).ConfigureAwait(false);
            _stop.Dispose();
        }

        private async Task EndAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _loop.ConfigureAwait(false);
        }

        // A checkpoint that cannot be kept costs time after a crash, and nothing else: the stage goes on.
        private async Task SaveAsync(CancellationToken cancellation)
        {
            var aside = folder + ".tar";
            try
            {
                var looks = Look();
                if (looks == _seen || looks.Length == 0) return;
                await PackAsync(aside, cancellation).ConfigureAwait(false);
                // Written to meanwhile: the next look finds it at rest.
                if (Look() != looks) return;
                await using (var packed = File.OpenRead(aside))
                    await RecordAsync(await store.PutAsync(packed, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
                _seen = looks;
            }
            catch (Exception e) when (e is IOException or StoreException or UnauthorizedAccessException)
            {
                log($"a checkpoint could not be kept: {e.Message}");
            }
            finally
            {
                File.Delete(aside);
            }
        }

        private async Task PackAsync(string path, CancellationToken cancellation)
        {
            await using var file = File.Create(path);
            await using var archive = new TarWriter(file, TarEntryFormat.Pax);
            await archive.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, KeyEntry)
                { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(order.Key.ToString())) }, cancellation)
                .ConfigureAwait(false);
            foreach (var one in Files())
                await archive.WriteEntryAsync(one.FullName, Path.GetRelativePath(folder, one.FullName).Replace('\\', '/'), cancellation).ConfigureAwait(false);
        }

        private async Task RecordAsync(BlobInfo archive, CancellationToken cancellation)
        {
            var before = _last;
            var tree = Tree.Of([new TreeFile(Archive, archive.Digest, archive.Size)]);
            var now = time.GetUtcNow();
            await record.PutAsync(tree, order.Pipeline, order.Stage, order.Run, now, now, cancellation).ConfigureAwait(false);
            _last = tree;
            if (before is not null && before.Digest != tree.Digest) await DropAsync(before, cancellation).ConfigureAwait(false);
        }

        private async Task DropAsync(Tree old, CancellationToken cancellation)
        {
            await record.DeleteAsync(old.Digest, cancellation).ConfigureAwait(false);
            foreach (var file in old.Files) await store.DeleteBlobAsync(file.Digest, cancellation).ConfigureAwait(false);
            await store.DeleteBlobAsync(old.Digest, cancellation).ConfigureAwait(false);
        }

        private string Look() => string.Join('\n', Files().Select(file => $"{file.FullName} {(file.Exists ? file.Length : -1)} {file.LastWriteTimeUtc.Ticks}"));

        // What is being written has another ending until it is whole, and is left out.
        private List<FileInfo> Files() =>
        [
            .. new DirectoryInfo(folder).EnumerateFiles(Pattern, SearchOption.AllDirectories).Where(file => file.Extension != Unfinished)
                .OrderBy(file => file.FullName, StringComparer.Ordinal),
        ];
    }
}
