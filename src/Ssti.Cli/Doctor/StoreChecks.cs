using System.CommandLine;
using Ssti.Cli.Commands;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Doctor;

/// <summary>Whether results can be stored: by trying to.</summary>
internal static class StoreChecks
{
    private const long Little = 2L << 30;
    private const string OtherStore = "make it writable, or name another folder with --store or SSTI_STORE";

    /// <summary>The store, a folder or a bucket; and where runs are noted, when that is another place.</summary>
    public static async Task<IReadOnlyList<Check>> AllAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            using var store = CommonOptions.Open(parsed, host);
            if (!store.IsRemote) return [Store(store.Artifacts.Location)];
            return [await BucketAsync(store.Artifacts, cancellation), Folder("workspace", store.Workspace.Root, "name another folder with SSTI_WORKSPACE: runs are noted there")];
        }
        catch (StoreException error)
        {
            return [new("store", CheckState.Failed, $"cannot be used: {error.Message}", "correct --store or SSTI_STORE, and the S3__ or AWS_ variables that belong to it")];
        }
    }

    /// <summary>Whether the store's folder can be written in all its parts, or could be made, and how much room there is.</summary>
    internal static Check Store(string store) => Folder("store", store, Directory.Exists(store) && StoreFolder.IsShared(store)
        ? $"its folder is shared, but not all that is in it: 'chmod -R g+rwX {store}', by whoever made it; or name another with --store or SSTI_STORE" : OtherStore);

    /// <summary>Whether files can be made in a folder, tried by making and removing one in it and in each part of a store, and how much room there is.</summary>
    internal static Check Folder(string name, string folder, string cure, bool warnOnly = false)
    {
        var worst = warnOnly ? CheckState.Warning : CheckState.Failed;
        var existing = folder;
        while (!Path.Exists(existing)) existing = Path.GetDirectoryName(existing) ?? Path.GetPathRoot(folder)!;
        if (!Directory.Exists(existing)) return new(name, worst, $"{folder} cannot be a folder: {existing} is a file", cure);
        if ((existing == folder ? StoreFolder.TryWrite(folder) : StoreFolder.TryWriteIn(existing)) is { } error)
            return new(name, worst, $"{folder} cannot be written: {error.Message}", cure);
        var free = new DriveInfo(existing).AvailableFreeSpace;
        var finding = $"{folder}{(existing == folder ? "" : " (made when it is first needed)")}, {Checks.Gigabytes(free)} free";
        return free >= Little ? new(name, CheckState.Ok, finding)
            : new(name, CheckState.Warning, finding, "free some space, or " + cure[(cure.IndexOf("name ", StringComparison.Ordinal))..]);
    }

    // A bucket is written to as well: what may be listed need not be writable.
    private static async Task<Check> BucketAsync(IArtifactStore bucket, CancellationToken cancellation)
    {
        await foreach (var _ in bucket.KeysAsync(cancellation)) break;
        try
        {
            var probe = await bucket.PutTextAsync($"ssti doctor {Guid.NewGuid():n}", cancellation);
            await bucket.DeleteBlobAsync(probe.Digest, cancellation);
            return new("store", CheckState.Ok, $"{bucket.Location} can be read and written");
        }
        catch (StoreException error)
        {
            return new("store", CheckState.Failed, $"{bucket.Location} can be read, but not written: {error.Message}",
                "ask for the right to write there, or name another with --store or SSTI_STORE");
        }
    }
}
