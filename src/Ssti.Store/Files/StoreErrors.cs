namespace Ssti.Store.Files;

/// <summary>Says in words what a failing disk means and what to do about it.</summary>
internal static class StoreErrors
{
    private const int NoSpace = 28, ReadOnlyFileSystem = 30, Quota = 122, WindowsDiskFull = 112;

    public static StoreException Explain(string location, Exception error) => error switch
    {
        StoreException already => already,
        IOException { HResult: var code } when (code & 0xffff) is NoSpace or Quota or WindowsDiskFull =>
            new StoreException($"the store {location} is full; free some space ('ssti gc') and run again: what is finished is kept", error),
        IOException { HResult: var code } when (code & 0xffff) == ReadOnlyFileSystem => ReadOnly(location, error),
        UnauthorizedAccessException => ReadOnly(location, error),
        _ => new StoreException($"the store {location} cannot be used: {error.Message}", error),
    };

    private static StoreException ReadOnly(string location, Exception error) =>
        new($"the store {location} cannot be written ({error.Message}); make it writable or choose another with --store", error);
}
