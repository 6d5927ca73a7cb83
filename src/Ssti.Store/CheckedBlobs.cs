using System.Text;
using Ssti.Store.Files;

namespace Ssti.Store;

/// <summary>Hands out blobs whose content was hashed just now: what a disk damaged is never an input, and never a result.</summary>
public static class CheckedBlobs
{
    /// <summary>What the message of a damaged blob ends with; a run that rebuilds it by itself leaves that out.</summary>
    public const string Cure = "; run again to rebuild it";

    /// <summary>A blob as a local, read-only file whose content is what its name says.</summary>
    /// <remarks>
    /// A look-up asks for existence and size only, so that a plan costs no reading. Whoever uses the bytes asks here. A damaged blob is put aside, which
    /// makes its record a miss: the next run rebuilds it.
    /// </remarks>
    /// <exception cref="StoreException">There is no such blob, or it is damaged.</exception>
    public static async Task<string> CheckedPathAsync(this IArtifactStore store, Digest blob, CancellationToken cancellation = default)
    {
        var path = await store.LocalPathAsync(blob, cancellation).ConfigureAwait(false);
        if (Hash(store, path) == blob) return path;
        if (store.IsElsewhere)
        {
            // A copy of what is elsewhere, spoilt since it was fetched: fetching it again is the cure, and it is checked on its way.
            BlobFolder.Unlink(path);
            path = await store.LocalPathAsync(blob, cancellation).ConfigureAwait(false);
            if (Hash(store, path) == blob) return path;
        }

        var aside = await AsideAsync(store, blob, cancellation).ConfigureAwait(false);
        throw new StoreException($"the blob {blob} in {store.Location} is damaged{aside}{Cure}");
    }

    /// <summary>The text of a blob, UTF-8, whose content was checked as in <see cref="CheckedPathAsync"/>.</summary>
    /// <exception cref="StoreException">It is damaged, missing, or cannot be read.</exception>
    public static async Task<string> CheckedTextAsync(this IArtifactStore store, Digest blob, CancellationToken cancellation = default) =>
        await File.ReadAllTextAsync(await store.CheckedPathAsync(blob, cancellation).ConfigureAwait(false), Encoding.UTF8, cancellation).ConfigureAwait(false);

    private static async Task<string> AsideAsync(IArtifactStore store, Digest blob, CancellationToken cancellation)
    {
        try
        {
            return await store.QuarantineAsync(blob, cancellation).ConfigureAwait(false) is { } kept ? $", and was put aside as {kept}" : ", and was removed";
        }
        catch (StoreException)
        {
            // A store that cannot be written keeps it, but nobody gets it.
            return "";
        }
    }

    private static Digest Hash(IArtifactStore store, string path)
    {
        try
        {
            return FileHash.Of(path).Digest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.Explain(store.Location, e);
        }
    }
}
