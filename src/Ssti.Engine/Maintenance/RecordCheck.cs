using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>Whether a record means what it says: asked of every record that comes from elsewhere, and by verification of all.</summary>
internal static class RecordCheck
{
    /// <summary>What is wrong with a record whose tree is stored, or null.</summary>
    public static async Task<string?> ProblemAsync(IArtifactStore store, ActionRecord record, CancellationToken cancellation)
    {
        if (record.Contradiction() is { } contradiction) return contradiction;
        try
        {
            var tree = await store.TreeAsync(record.Tree, cancellation).ConfigureAwait(false);
            return tree.Files.SequenceEqual(record.Files) ? null : "its list of files is not that of its tree";
        }
        catch (StoreException e)
        {
            return e.Message;
        }
    }
}
