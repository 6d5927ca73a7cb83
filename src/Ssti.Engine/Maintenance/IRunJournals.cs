using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>Journals and logs of runs, wherever they lie: in a workspace (<see cref="FolderRuns"/>), or in a store that has none beside it (<see cref="SharedRuns"/>).</summary>
public interface IRunJournals
{
    /// <summary>The files of a run; none when it is not there.</summary>
    /// <exception cref="StoreException">What is there is damaged or no run's, or the place cannot be used.</exception>
    Task<IReadOnlyList<RunFile>> FilesAsync(string run, CancellationToken cancellation = default);

    /// <summary>
    /// Puts a run here, all of it at once. Journals and logs only ever grow: of two states of one run, one taken while it was under way, the later stays.
    /// False when it is here already, in this state or a later one.
    /// </summary>
    /// <exception cref="StoreException">Another run of that name is here, or the place cannot be used.</exception>
    Task<bool> PutAsync(PastRun run, IReadOnlyList<RunFile> files, CancellationToken cancellation = default);
}

/// <summary>A file of a run: its journal, or a log.</summary>
/// <param name="Name">Its name in the run's folder.</param>
/// <param name="OpenAsync">Opens it for reading, while the run still writes, too.</param>
public sealed record RunFile(string Name, Func<CancellationToken, Task<Stream>> OpenAsync);
