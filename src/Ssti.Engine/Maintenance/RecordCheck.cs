using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Engine.Maintenance;

/// <summary>Whether a record means what it says: asked of every record that comes from elsewhere, and by verification of all.</summary>
internal static class RecordCheck
{
    /// <summary>What is wrong with a record whose tree is stored, or null.</summary>
    public static async Task<string?> ProblemAsync(IArtifactStore store, ActionRecord record, CancellationToken cancellation)
    {
        try
        {
            if (CanonicalJson.Digest(record.Document) != record.Key) return "its key document has another digest than its key";
            var tree = await store.TreeAsync(record.Tree, cancellation).ConfigureAwait(false);
            return tree.Files.SequenceEqual(record.Files) ? null : "its list of files is not that of its tree";
        }
        catch (StoreException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException)
        {
            return $"its key document cannot be read ({e.Message})";
        }
    }
}
