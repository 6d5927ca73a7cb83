using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>Brings the journal and the logs of a run into a workspace: all of them at once, so that no run is ever there by half.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly Workspace _workspace;
    private readonly string _aside;

    public RunFolder(Workspace workspace)
    {
        _workspace = workspace;
        _aside = Path.Combine(workspace.Root, "tmp", "run-" + Guid.NewGuid().ToString("n"));
    }

    /// <summary>Whether a run or one of its files may be named so: a name from elsewhere must not lead out of the folder.</summary>
    public static bool IsPlain(string name) =>
        name.Length is > 0 and < 255 && name != "." && name != ".." && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+' or '@');

    /// <summary>Writes a file of a run aside.</summary>
    public async Task AddAsync(string run, string name, Stream content, CancellationToken cancellation)
    {
        var folder = _workspace.Guarded(() => Directory.CreateDirectory(Path.Combine(_aside, run)).FullName);
        await using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None);
        await content.CopyToAsync(file, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Puts what was written aside to its names. Journals and logs only ever grow: of two states of one run, one taken while it was under way, the later stays.
    /// </summary>
    /// <returns>The runs' names, and whether they were not there before in this state or a later one.</returns>
    /// <exception cref="StoreException">Another run of that name is there.</exception>
    public IReadOnlyList<(string Run, bool IsNews)> Place() => _workspace.Guarded<IReadOnlyList<(string, bool)>>(() =>
    {
        if (!Directory.Exists(_aside)) return [];
        Directory.CreateDirectory(_workspace.Runs);
        return [.. Directory.GetDirectories(_aside).Order(StringComparer.Ordinal).Select(run => (Path.GetFileName(run), Place(run)))];
    });

    private bool Place(string run)
    {
        var target = Path.Combine(_workspace.Runs, Path.GetFileName(run));
        if (Directory.Exists(target))
        {
            if (IsBeginningOf(run, target)) return false;
            if (!IsBeginningOf(target, run)) throw new StoreException($"another run {Path.GetFileName(run)} is in {_workspace.Root} already");
            Directory.Move(target, $"{run}.old");
        }

        Directory.Move(run, target);
        return true;
    }

    public void Dispose()
    {
        if (Directory.Exists(_aside)) Directory.Delete(_aside, recursive: true);
    }

    private static bool IsBeginningOf(string run, string other) => Directory.GetFiles(run).All(file =>
    {
        var there = Path.Combine(other, Path.GetFileName(file));
        if (!File.Exists(there) || new FileInfo(there).Length < new FileInfo(file).Length) return false;
        using FileStream a = File.OpenRead(file), b = new(there, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> x = new byte[64 * 1024], y = new byte[64 * 1024];
        while (a.ReadAtLeast(x, x.Length, throwOnEndOfStream: false) is > 0 and var read)
        {
            b.ReadExactly(y[..read]);
            if (!x[..read].SequenceEqual(y[..read])) return false;
        }

        return true;
    });
}
