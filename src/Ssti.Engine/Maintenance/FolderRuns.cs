using Ssti.Engine.Records;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>The journals and logs of runs in a workspace.</summary>
public sealed class FolderRuns(Workspace workspace) : IRunJournals
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<RunFile>> FilesAsync(string run, CancellationToken cancellation = default)
    {
        var folder = Path.Combine(workspace.Runs, run);
        return Task.FromResult<IReadOnlyList<RunFile>>(Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(File)] : []);

        static RunFile File(string path) =>
            new(Path.GetFileName(path), _ => Task.FromResult<Stream>(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)));
    }

    /// <inheritdoc/>
    public async Task<bool> PutAsync(PastRun run, IReadOnlyList<RunFile> files, CancellationToken cancellation = default)
    {
        using var folder = new RunFolder(workspace);
        foreach (var file in files)
        {
            await using var content = await file.OpenAsync(cancellation).ConfigureAwait(false);
            await folder.AddAsync(run.Id, file.Name, content, cancellation).ConfigureAwait(false);
        }

        return folder.Place().Any(placed => placed.IsNews);
    }
}
