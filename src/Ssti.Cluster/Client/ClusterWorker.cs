using Orleans.Runtime;
using Ssti.Cluster.Grains;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Silo;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Signing;
using Ssti.Store;

namespace Ssti.Cluster.Client;

/// <summary>
/// Executes stages by handing them to a cluster: chooses a silo, submits, and asks for news until the stage is over. A silo that is lost, or hands the stage
/// back, is replaced by another, which goes on from the stage's checkpoint.
/// </summary>
/// <param name="client">The connection.</param>
/// <param name="store">The store that this side and the silos share.</param>
/// <param name="stores">What the silos call it.</param>
internal sealed class ClusterWorker(IGrainFactory client, IArtifactStore store, IReadOnlyList<string> stores) : IStageWorker
{
    // A stage that outlives so many silos may be what kills them.
    private const int MostLosses = 3;

    private readonly string _submitter = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():n}";
    private readonly SourceUpload _sources = new(store);
    private bool _seen;

    /// <inheritdoc/>
    public async Task<StageOutcome> WorkAsync(WorkOrder order, IStageWatcher watcher, CancellationToken cancellation)
    {
        var (messages, paths) = await _sources.PutAsync(order, cancellation).ConfigureAwait(false);
        var submission = new Submission(client, _submitter, order, StageMessage.Of(order, messages), watcher, text => Localize(text, paths));
        var outcome = await submission.RunAsync(MostLosses, cancellation).ConfigureAwait(false);
        if (outcome.Tree is { } tree && store is SignedStore { Trust: { } trust }) return await TrustedAsync(outcome, tree, trust, order).ConfigureAwait(false);
        return outcome.Tree is null || _seen ? outcome : await SeenAsync(outcome, order).ConfigureAwait(false);
    }

    // Silos that trust others than this side does would hand it what it refused.
    private async Task<StageOutcome> TrustedAsync(StageOutcome outcome, Digest tree, TrustedKeys trust, WorkOrder order)
    {
        if ((await store.FindAsync([order.Key]).ConfigureAwait(false))[0].Hit?.Tree == tree) return outcome;
        throw new StoreException($"what the cluster has of {order.Stage} is not signed by {trust.Names} (--trust): have its silos sign (Ssti__SigningKey), trust the same keys "
            + "(Ssti__Trust), and name theirs in --trust; or see that they use the same store");
    }

    // What this side cannot see it cannot plan with: the cluster has another store.
    private async Task<StageOutcome> SeenAsync(StageOutcome outcome, WorkOrder order)
    {
        if ((await store.FindAsync([order.Key]).ConfigureAwait(false))[0].Hit is null)
        {
            throw new StoreException($"the cluster keeps its artifacts in {string.Join(" and ", stores)}, and what it made of {order.Stage} is not in {store.Location}: "
                + "give this command the same store (--store for a shared folder, or S3__Endpoint, S3__Bucket, S3__AccessKey and S3__SecretKey)");
        }

        _seen = true;
        return outcome;
    }

    // A silo calls a source by a number; here it has a path.
    private static string Localize(string text, IReadOnlyList<string> paths)
    {
        for (var i = 0; i < paths.Count; i++) text = text.Replace(SourceMark.Of(i), paths[i], StringComparison.Ordinal);
        return text;
    }
}
