using System.Text.Json.Nodes;
using Ssti.Engine.Planning;
using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Engine.Records;

/// <summary>A value that is not the same in all runs.</summary>
/// <param name="Name">The parameter, or the path of a metric with dots.</param>
/// <param name="Values">In each run: a parameter as its text, a metric as canonical JSON; null where it is not.</param>
public sealed record ValueDifference(string Name, IReadOnlyList<string?> Values);

/// <summary>A file that is not the same in the outputs of all runs.</summary>
/// <param name="Path">Its path in the output.</param>
/// <param name="Digests">Its blob in each run, or null.</param>
public sealed record FileDifference(string Path, IReadOnlyList<Digest?> Digests);

/// <summary>A stage that is not the same in all runs.</summary>
/// <param name="Stage">The instance.</param>
/// <param name="Runs">It in each run; null where it was not in it.</param>
/// <param name="Causes">The fields of the key documents that differ between the first run that has a record of it and any other, each once.</param>
/// <param name="Metrics">Metrics that differ.</param>
/// <param name="Files">Output files that differ.</param>
public sealed record StageDifference(
    string Stage, IReadOnlyList<PastStage?> Runs, IReadOnlyList<Reason> Causes, IReadOnlyList<ValueDifference> Metrics, IReadOnlyList<FileDifference> Files)
{
    /// <summary>Whether there is anything to compare: it is in more than one run.</summary>
    public bool IsShared => Runs.Count(run => run is not null) > 1;
}

/// <summary>What differs between runs.</summary>
/// <param name="Runs">The runs, in the order of all values.</param>
/// <param name="Parameters">Pipeline parameters that differ.</param>
/// <param name="Stages">Stages that differ, in the order of the last run with the cells of each together; those that it lacks last.</param>
/// <param name="Same">How many stages have equal keys and outputs in all runs.</param>
public sealed record RunDifference(IReadOnlyList<PastRun> Runs, IReadOnlyList<ValueDifference> Parameters, IReadOnlyList<StageDifference> Stages, int Same);

/// <summary>Compares runs: parameters, keys, metrics and outputs.</summary>
public static class RunComparison
{
    /// <summary>What differs between any number of runs. What was collected meanwhile is compared by digest only.</summary>
    public static async Task<RunDifference> CompareAsync(IArtifactStore store, IReadOnlyList<PastRun> runs, CancellationToken cancellation = default)
    {
        var byName = runs.Select(run => run.Stages.ToDictionary(stage => stage.Stage)).ToArray();
        var stages = new List<StageDifference>();
        var same = 0;
        // The cells of a stage together, although they ended in between others.
        foreach (var name in byName.Reverse().SelectMany(stages => stages.Keys).Distinct().GroupBy(name => name.Split('@')[0]).SelectMany(cells => cells))
        {
            PastStage?[] inRuns = [.. byName.Select(stages => stages.GetValueOrDefault(name))];
            if (inRuns.All(stage => IsSame(inRuns[0], stage))) same++;
            else stages.Add(await CompareAsync(store, name, inRuns, cancellation).ConfigureAwait(false));
        }

        return new RunDifference(runs, Differing(runs.Select(run => run.Parameters).ToArray()), stages, same);
    }

    private static bool IsSame(PastStage? a, PastStage? b) => a is not null && b is not null && a.Key == b.Key && a.Tree == b.Tree && (a.Tree is not null || a.State == b.State);

    private static async Task<StageDifference> CompareAsync(IArtifactStore store, string name, IReadOnlyList<PastStage?> runs, CancellationToken cancellation)
    {
        var records = new ActionRecord?[runs.Count];
        for (var i = 0; i < records.Length; i++) records[i] = await RecordAsync(store, runs[i], cancellation).ConfigureAwait(false);
        var causes = new List<Reason>();
        var files = new InputFiles(store);
        var first = records.FirstOrDefault(record => record is not null);
        foreach (var other in records.OfType<ActionRecord>().Skip(1).DistinctBy(record => record.Key))
        {
            foreach (var cause in KeyDifference.Between(first!.Document, other.Document))
                causes.Add(await files.DescribeAsync(cause, cancellation).ConfigureAwait(false));
        }

        var metrics = Differing(records.Select(record => Flat(record?.Metrics)).ToArray());
        var outputs = records.Select(record => (record?.Files ?? []).ToDictionary(file => file.Path, file => file.Digest)).ToArray();
        var differing = outputs.SelectMany(output => output.Keys).Distinct().Order(StringComparer.Ordinal)
            .Select(path => new FileDifference(path, [.. outputs.Select(output => output.TryGetValue(path, out var digest) ? digest : (Digest?)null)]))
            .Where(file => file.Digests.Distinct().Count() > 1).ToList();
        return new StageDifference(name, runs, [.. causes.Distinct()], metrics, differing);
    }

    private static List<ValueDifference> Differing(IReadOnlyList<IReadOnlyDictionary<string, string>> runs) =>
    [
        .. runs.SelectMany(values => values.Keys).Distinct().Order(StringComparer.Ordinal)
            .Select(name => new ValueDifference(name, [.. runs.Select(values => values.GetValueOrDefault(name))])).Where(value => value.Values.Distinct().Count() > 1),
    ];

    private static Dictionary<string, string> Flat(JsonObject? metrics)
    {
        var values = new Dictionary<string, string>();
        Add("", metrics);
        return values;

        void Add(string path, JsonNode? node)
        {
            if (node is JsonObject nested)
                foreach (var (name, value) in nested) Add(path.Length == 0 ? name : $"{path}.{name}", value);
            else if (node is not null) values[path] = CanonicalJson.Write(node);
        }
    }

    private static async Task<ActionRecord?> RecordAsync(IArtifactStore store, PastStage? stage, CancellationToken cancellation)
    {
        if (stage is not { Key: { } key, Tree: { } tree }) return null;
        return (await store.RecordsAsync([key], cancellation).ConfigureAwait(false))[0].FirstOrDefault(r => r.Tree == tree);
    }
}
