namespace Ssti.Store.Files;

/// <summary>Says in words what a failing disk means and what to do about it.</summary>
public static class StoreErrors
{
    private const int NoSpace = 28, ReadOnlyFileSystem = 30, Quota = 122, WindowsDiskFull = 112;

    /// <summary>Whether an error means that a disk or a quota is full.</summary>
    // .NET asks for a file's whole size before it writes it (File.WriteAllText does), and where that is refused throws an error without the system's number.
    public static bool IsFull(Exception error) => error is IOException { HResult: var code, Message: var said }
        && ((code & 0xffff) is NoSpace or Quota or WindowsDiskFull || said.EndsWith("because the disk was full.", StringComparison.Ordinal));

    /// <summary>The error as one for the user of a store.</summary>
    /// <param name="location">The store's folder.</param>
    /// <param name="error">What the file system said.</param>
    public static StoreException Explain(string location, Exception error) => error switch
    {
        StoreException already => already,
        _ when IsFull(error) => new StoreException($"the store {location} is full; free some space ('ssti gc') and run again: what is finished is kept", error),
        IOException { HResult: var code } when (code & 0xffff) == ReadOnlyFileSystem => ReadOnly(location, error),
        UnauthorizedAccessException => ReadOnly(location, error),
        _ when File.Exists(location) || new FileInfo(location).LinkTarget is not null && !Directory.Exists(location)
            => new StoreException($"the store {location} cannot be used: it is a file, or a link to nothing; name a folder", error),
        _ => new StoreException($"the store {location} cannot be used: {error.Message.TrimEnd('.')}", error),
    };

    /// <summary>Whether an error means that a store may be read and not written.</summary>
    public static bool IsReadOnly(Exception error) => error switch
    {
        StoreException { InnerException: { } inner } => IsReadOnly(inner),
        IOException { HResult: var code } => (code & 0xffff) == ReadOnlyFileSystem,
        _ => error is UnauthorizedAccessException,
    };

    // In a folder that is the group's, some part is not: it was made before the folder was shared, or copied into it.
    private static StoreException ReadOnly(string location, Exception error) =>
        new($"the store {location} cannot be written ({error.Message}); " + (Directory.Exists(location) && StoreFolder.IsShared(location)
            ? $"its folder is shared, but not all that is in it: 'chmod -R g+rwX {location}', by whoever made it, shares the rest"
            : "make it writable or choose another with --store"), error);
}
