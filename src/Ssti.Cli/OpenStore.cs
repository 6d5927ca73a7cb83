using System.Runtime.CompilerServices;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli;

/// <summary>Where a command finds artifacts, and where this machine's runs are: one folder, or a bucket beside a folder.</summary>
/// <param name="Artifacts">Blobs and records.</param>
/// <param name="Workspace">Journals, logs, stages at work.</param>
internal sealed record OpenStore(IArtifactStore Artifacts, Workspace Workspace) : IDisposable
{
    /// <summary>Whether the artifacts are elsewhere than the runs: then nothing here knows who else uses them.</summary>
    public bool IsRemote => Artifacts is not FileStore;

    /// <summary>Whether anything was ever stored. A bucket is taken to exist; it says so itself when it does not.</summary>
    public bool Exists => IsRemote || StorePlace.IsStore(Artifacts.Location);

    /// <summary>Opens a store by its folder or URL. With a URL, runs are noted in <c>SSTI_WORKSPACE</c>, else in the project's folder.</summary>
    /// <param name="named">The folder or URL; null for the project's.</param>
    /// <param name="pipeline">The pipeline's file, which says what the project is; null for the working folder's.</param>
    /// <param name="host">The machine.</param>
    /// <param name="note">Told where the place is another than is to be expected.</param>
    /// <exception cref="StoreException">A URL, or what belongs to it in the environment, is malformed.</exception>
    public static OpenStore At(string? named, string? pipeline, CliHost host, Action<string>? note = null)
    {
        if (named is null || !IsUrl(named))
        {
            var folder = named is null ? Project() : Path.GetFullPath(named, host.WorkingFolder);
            return new(new FileStore(folder), new Workspace(folder));
        }

        var runs = host.Environment("SSTI_WORKSPACE") is { Length: > 0 } variable ? Path.GetFullPath(variable, host.WorkingFolder) : Project();
        return new(Bucket(named, host), new Workspace(runs));

        string Project()
        {
            var place = StorePlace.Of(pipeline, host.WorkingFolder);
            if (place.Note is { } said) note?.Invoke(said);
            return place.Folder;
        }
    }

    /// <summary>Ends the command unless the store exists: an empty answer about a store that is not there would be a lie.</summary>
    /// <param name="workingFolder">Where to look for one that may be meant.</param>
    /// <exception cref="UserException">It does not.</exception>
    public OpenStore MustExist(string workingFolder) => Exists ? this : throw new UserException(
        $"there is no store in {Artifacts.Location}; name one with --store or SSTI_STORE, or run a pipeline first{StorePlace.Nearby(workingFolder)}");

    /// <summary>Keeps the store from being collected while it is written to.</summary>
    /// <exception cref="StoreException">It is being collected, or cannot be written.</exception>
    public FileLock Use()
    {
        Workspace.Share();
        return Workspace.TryUse() ?? throw Collected();
    }

    /// <summary>Keeps the store from being collected while it is read, where that can be: on a read-only disk nobody collects.</summary>
    /// <exception cref="StoreException">It is being collected.</exception>
    public FileLock? UseToRead()
    {
        try
        {
            return Workspace.TryUse() ?? throw Collected();
        }
        catch (StoreException e) when (StoreErrors.IsReadOnly(e))
        {
            return null;
        }
    }

    public void Dispose() => (Artifacts as IDisposable)?.Dispose();

    /// <summary>Whether a name is a URL and not a folder.</summary>
    public static bool IsUrl(string named) => named.Contains("://", StringComparison.Ordinal);

    // A method of its own, so that the library behind it is loaded only when it is called.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Store.S3.S3Store Bucket(string url, CliHost host) => new(Store.S3.S3Options.Parse(url, host.Environment));

    private StoreException Collected() => new($"the store {Workspace.Root} is being collected ('ssti gc') by another process; try again when that is done");
}
