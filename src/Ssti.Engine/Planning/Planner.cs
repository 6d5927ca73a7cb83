using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Planning;

/// <summary>
/// Says what a run would do, without doing anything: a function of the pipeline, the store and the history.
/// </summary>
/// <remarks>
/// A stage's key holds its inputs' digests, so behind a stage that has to run keys are unknown, and the plan says "upstream stale". The runner decides those
/// one by one as inputs come in: a stage rebuilt to the same bytes leaves what needs it cached.
/// </remarks>
public sealed class Planner(IArtifactStore store, KeyBuilder keys, StageHistory history)
{
    private const int ParallelFrom = 256;

    /// <summary>Plans the selected part of a pipeline.</summary>
    /// <exception cref="SelectionException">A glob selects nothing.</exception>
    /// <exception cref="Stages.StageException">A source cannot be read, or the compute settings are not to be had here.</exception>
    public async Task<Plan> PlanAsync(Pipeline pipeline, RunSelection selection, CancellationToken cancellation = default)
    {
        var resolved = selection.Resolve(pipeline);
        var stages = new PlannedStage?[pipeline.Instances.Count];
        var warnings = new List<string>();
        foreach (var wave in Waves(pipeline, resolved.Needed))
            await PlanAsync(pipeline, wave, resolved, i => stages[i]?.Hit?.Tree is { } tree && stages[i]!.State == PlanState.Cached ? tree : null,
                stages, warnings, cancellation).ConfigureAwait(false);
        return new Plan(pipeline, [.. stages.OfType<PlannedStage>()], warnings);
    }

    /// <summary>Plans some instances whose upstream was planned or run; one batch of look-ups.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="instances">Indices.</param>
    /// <param name="selection">What may run.</param>
    /// <param name="tree">The outputs of an instance, or null while they are not known.</param>
    /// <param name="planned">Where the plans go, by index.</param>
    /// <param name="warnings">Where oddities of the store go.</param>
    /// <param name="cancellation">Stops.</param>
    internal async Task PlanAsync(
        Pipeline pipeline, IReadOnlyList<int> instances, ResolvedSelection selection, Func<int, Digest?> tree, PlannedStage?[] planned, List<string> warnings,
        CancellationToken cancellation)
    {
        var documents = Documents(pipeline, instances, tree);
        var lookups = await store.FindAsync([.. documents.OfType<KeyDocument>().Select(document => document.Key)], cancellation).ConfigureAwait(false);
        var at = 0;
        for (var i = 0; i < instances.Count; i++)
        {
            var instance = pipeline.Instances[instances[i]];
            var document = documents[i];
            var lookup = document is null ? null : lookups[at++];
            var runnable = selection.Runnable[instance.Index];
            Warn(instance, lookup, warnings);
            var last = lookup is { Hit: not null } ? null : history.Last(instance.Name);
            var before = await BeforeAsync(last, cancellation).ConfigureAwait(false);
            var stale = lookup is not null ? [] : instance.Inputs.SelectMany(input => input.From).Where(from => tree(from) is null)
                .Select(from => pipeline.Instances[from].Name).Distinct().ToList();
            var reasons = StageDecision.Decide(new StageFacts(
                lookup, stale, selection.Forced[instance.Index] && runnable, () => document?.ToJson() ?? keys.WithoutInputs(instance), () => before, last?.Key));
            reasons = await WithFilesAsync(reasons, cancellation).ConfigureAwait(false);
            var blocked = !runnable || instance.Inputs.Any(input => input.From.Any(from => planned[from] is { State: PlanState.Blocked }));
            var state = reasons.Count == 0 ? PlanState.Cached : blocked ? PlanState.Blocked : PlanState.Run;
            planned[instance.Index] = new PlannedStage(
                instance, state, reasons, document, lookup?.Hit, state == PlanState.Cached ? null : history.EstimateOf(instance.Name))
            {
                Elsewhere = before is not null && last is not null && history.IsElsewhere(last) ? last : null,
            };
        }
    }

    // The key documents of those whose inputs are known. Thousands of them are worth every core.
    private KeyDocument?[] Documents(Pipeline pipeline, IReadOnlyList<int> instances, Func<int, Digest?> tree)
    {
        var documents = new KeyDocument?[instances.Count];
        if (instances.Count < ParallelFrom)
        {
            for (var i = 0; i < documents.Length; i++) Build(i);
            return documents;
        }

        try
        {
            Parallel.For(0, documents.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, Build);
        }
        catch (AggregateException many)
        {
            // One is enough, and it is a StageException as without the others.
            ExceptionDispatchInfo.Throw(many.InnerExceptions[0]);
        }

        return documents;

        void Build(int i)
        {
            var instance = pipeline.Instances[instances[i]];
            if (instance.Inputs.All(input => input.From.All(from => tree(from) is not null)))
                documents[i] = keys.Build(pipeline, instance, from => tree(from)!.Value);
        }
    }

    private static void Warn(StageInstance instance, ActionLookup? lookup, List<string> warnings)
    {
        if (lookup is null) return;
        foreach (var damage in lookup.Damages) warnings.Add($"{instance.Name}: {damage}; that record is not used");
        if (lookup.Records > 1)
            warnings.Add($"{instance.Name} is not deterministic: the key {lookup.Key.Short} has {lookup.Records} records with different outputs; "
                + (lookup.Hit is { } hit ? $"{hit.Tree.Short}, the newest usable, is used" : "none can be used"));
    }

    // The instances level by level, so that each level is one batch for the store.
    private static IEnumerable<IReadOnlyList<int>> Waves(Pipeline pipeline, bool[] needed)
    {
        var depth = new int[pipeline.Instances.Count];
        var waves = new List<List<int>>();
        foreach (var instance in pipeline.Instances)
        {
            if (!needed[instance.Index]) continue;
            var level = 0;
            foreach (var input in instance.Inputs)
                foreach (var from in input.From) level = Math.Max(level, depth[from] + 1);
            depth[instance.Index] = level;
            while (waves.Count <= level) waves.Add([]);
            waves[level].Add(instance.Index);
        }

        return waves;
    }

    private async Task<JsonObject?> BeforeAsync(HistoryEntry? last, CancellationToken cancellation)
    {
        if (last is null) return null;
        var records = (await store.RecordsAsync([last.Key], cancellation).ConfigureAwait(false))[0];
        return (records.FirstOrDefault(r => r.Tree == last.Tree) ?? records.FirstOrDefault())?.Document;
    }

    private async Task<IReadOnlyList<Reason>> WithFilesAsync(IReadOnlyList<Reason> reasons, CancellationToken cancellation)
    {
        if (!reasons.Any(r => r.Kind == ReasonKind.InputChanged)) return reasons;
        var files = new InputFiles(store);
        var result = new List<Reason>();
        foreach (var reason in reasons) result.Add(await files.DescribeAsync(reason, cancellation).ConfigureAwait(false));
        return result;
    }
}
