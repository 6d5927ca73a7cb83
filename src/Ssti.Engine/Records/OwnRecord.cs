using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Store;

namespace Ssti.Engine.Records;

/// <summary>
/// Something of the engine's own in a store, such as the journal of a run: a tree under a key that no stage has, so that any store will do, and what holds for
/// outputs holds for it: checked on its way, verified, collected.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="kind">What it is, such as <c>run</c>.</param>
/// <param name="field">What tells it from others of its kind.</param>
/// <param name="value">The value of that.</param>
internal sealed class OwnRecord(IArtifactStore store, string kind, string field, string value)
{
    private readonly KeyDocument _document = Document(kind, field, value);

    /// <summary>The key of such a record in any store.</summary>
    public static Digest KeyOf(string kind, string field, string value) => Document(kind, field, value).Key;

    /// <summary>Its state, or null when there is none that can be used.</summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public async Task<RecordSummary?> FindAsync(CancellationToken cancellation) =>
        (await store.FindAsync([_document.Key], cancellation).ConfigureAwait(false))[0].Hit;

    /// <summary>
    /// Stores a state whose files are stored already. The one before is to be deleted then: one is enough, and two would look like a stage that is not
    /// deterministic.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public async Task PutAsync(
        Tree tree, string pipeline, string stage, string run, DateTimeOffset started, DateTimeOffset finished, CancellationToken cancellation)
    {
        await store.PutTreeAsync(tree, cancellation).ConfigureAwait(false);
        var record = new ActionRecord
        {
            Key = _document.Key,
            Tree = tree.Digest,
            Files = tree.Files,
            Document = _document.ToJson(),
            Pipeline = pipeline,
            Stage = stage,
            Run = run,
            Started = started,
            Finished = finished,
            Durations = new ActionDurations(0, 0, 0, 0),
        };
        await store.PutRecordAsync(record, cancellation).ConfigureAwait(false);
    }

    /// <summary>Deletes a state; its blobs stay.</summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public Task DeleteAsync(Digest tree, CancellationToken cancellation) => store.DeleteRecordAsync(_document.Key, tree, cancellation);

    private static KeyDocument Document(string kind, string field, string value) =>
        new(new JsonObject { ["schema"] = KeyDocument.Schema, ["kind"] = kind, [field] = value });
}
