using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>What executing a cached stage again gave.</summary>
/// <param name="Instance">The stage.</param>
/// <param name="Key">Its key.</param>
/// <param name="Same">Whether it gave the recorded bytes.</param>
/// <param name="FirstDifference">The first differing file by path, or null.</param>
/// <param name="Recorded">That file's recorded digest; null when it was not there before.</param>
/// <param name="Now">Its digest now; null when it is not there now.</param>
/// <param name="Error">Why it could not be executed, or null.</param>
public sealed record RerunResult(StageInstance Instance, Digest Key, bool Same, string? FirstDifference, Digest? Recorded, Digest? Now, string? Error);

/// <summary>
/// Executes cached stages again, aside, and compares: the only proof that a key means the same bytes. Nothing is stored, and no record changes.
/// </summary>
public sealed class StageRerunner(IArtifactStore store, Workspace workspace, KeyBuilder keys)
{
    /// <summary>Executes some of a plan's cached stages again.</summary>
    /// <param name="plan">The plan; stages that are not cached are passed over.</param>
    /// <param name="count">How many; which ones is drawn by <paramref name="seed"/>.</param>
    /// <param name="seed">Draws the stages.</param>
    /// <param name="among">Which of the cached stages may be drawn; null for all.</param>
    /// <param name="told">Told each result as it comes.</param>
    /// <param name="cancellation">Stops.</param>
    public async Task<IReadOnlyList<RerunResult>> RerunAsync(
        Plan plan, int count, int seed, Func<PlannedStage, bool>? among = null, Action<RerunResult>? told = null, CancellationToken cancellation = default)
    {
        var cached = plan.Stages.Where(s => s is { State: PlanState.Cached, Hit: not null, Document: not null } && (among is null || among(s))).ToArray();
        new Random(seed).Shuffle(cached);
        var trees = plan.Stages.Where(s => s.Hit is not null).ToDictionary(s => s.Instance.Index, s => s.Hit!.Tree);
        var results = new List<RerunResult>();
        foreach (var stage in cached.Take(count).OrderBy(s => s.Instance.Index))
        {
            var result = await RerunAsync(plan.Pipeline, stage, i => trees[i], cancellation).ConfigureAwait(false);
            told?.Invoke(result);
            results.Add(result);
        }

        return results;
    }

    private async Task<RerunResult> RerunAsync(Pipeline pipeline, PlannedStage stage, Func<int, Digest> trees, CancellationToken cancellation)
    {
        var instance = stage.Instance;
        var key = stage.Key!.Value;
        var folder = Path.Combine(workspace.Root, "work", "verify-" + Guid.NewGuid().ToString("n"));
        try
        {
            var output = Directory.CreateDirectory(Path.Combine(folder, "out")).FullName;
            var compute = keys.Compute(instance);
            var context = new StageContext
            {
                StageName = instance.Name,
                Seed = instance.Seed ?? 0,
                Profile = instance.Profile,
                Compute = compute.Device == "cuda" ? compute with { Device = $"cuda:{keys.GpusOf(compute.DeviceClass)?[0] ?? 0}" } : compute,
                Inputs = await new StageInputs(store).FetchAsync(WorkOrder.InputsOf(pipeline, instance, trees), cancellation).ConfigureAwait(false),
                OutputFolder = output,
                ScratchFolder = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName,
                Progress = _ => { },
                Log = _ => { },
            };
            await Task.Run(() => instance.Kind.RunAsync(instance.Parameters, context, cancellation), cancellation).ConfigureAwait(false);
            var now = FileHash.TreeOf(output, cancellation);
            var recorded = await store.TreeAsync(stage.Hit!.Tree, cancellation).ConfigureAwait(false);
            return Compare(instance, key, recorded, now);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return new RerunResult(instance, key, Same: false, null, null, null,
                e is StageException or StoreException or LostInputException ? e.Message : $"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static RerunResult Compare(StageInstance instance, Digest key, Tree recorded, Tree now)
    {
        if (recorded.Digest == now.Digest) return new RerunResult(instance, key, Same: true, null, null, null, null);
        var before = recorded.Files.ToDictionary(f => f.Path, f => f.Digest);
        var after = now.Files.ToDictionary(f => f.Path, f => f.Digest);
        foreach (var path in before.Keys.Union(after.Keys).Order(StringComparer.Ordinal))
        {
            Digest? old = before.TryGetValue(path, out var a) ? a : null, current = after.TryGetValue(path, out var b) ? b : null;
            if (old != current) return new RerunResult(instance, key, Same: false, path, old, current, null);
        }

        return new RerunResult(instance, key, Same: false, null, null, null, "the trees differ, but no file does");
    }
}
