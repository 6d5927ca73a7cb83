using System.Text.Json.Nodes;
using Ssti.Engine.Planning;
using Ssti.Store;
using Ssti.Store.Json;

namespace Ssti.Engine.Records;

/// <summary>A value that differs between two runs, as canonical JSON; null where it is not.</summary>
/// <param name="Name">The parameter, or the path of a metric with dots.</param>
/// <param name="Before">In the first run.</param>
/// <param name="After">In the second.</param>
public sealed record ValueDifference(string Name, string? Before, string? After);

/// <summary>A file that differs between the outputs of two runs.</summary>
/// <param name="Path">Its path in the output.</param>
/// <param name="Before">Its blob in the first run, or null.</param>
/// <param name="After">Its blob in the second, or null.</param>
public sealed record FileDifference(string Path, Digest? Before, Digest? After);

/// <summary>A stage that differs between two runs.</summary>
/// <param name="Stage">The instance.</param>
/// <param name="Before">How it ended in the first run; null when it was not in it.</param>
/// <param name="After">How it ended in the second; null when it was not in it.</param>
/// <param name="Causes">The fields of the key documents that differ.</param>
/// <param name="Metrics">Metrics that differ.</param>
/// <param name="Files">Output files that differ.</param>
public sealed record StageDifference(
    string Stage, string? Before, string? After, IReadOnlyList<Reason> Causes, IReadOnlyList<ValueDifference> Metrics, IReadOnlyList<FileDifference> Files);

/// <summary>What differs between two runs.</summary>
/// <param name="Before">The first run.</param>
/// <param name="After">The second.</param>
/// <param name="Parameters">Pipeline parameters that differ.</param>
/// <param name="Stages">Stages that differ, in the order of the second run with the cells of each together; those only in the first last.</param>
/// <param name="Same">How many stages have equal keys and outputs.</param>
public sealed record RunDifference(PastRun Before, PastRun After, IReadOnlyList<ValueDifference> Parameters, IReadOnlyList<StageDifference> Stages, int Same);

/// <summary>Compares runs: parameters, keys, metrics and outputs.</summary>
public static class RunComparison
{
    /// <summary>What differs from one run to another. What was collected meanwhile is compared by digest only.</summary>
    public static async Task<RunDifference> CompareAsync(IArtifactStore store, PastRun before, PastRun after, CancellationToken cancellation = default)
    {
        var earlier = before.Stages.ToDictionary(s => s.Stage);
        var later = after.Stages.ToDictionary(s => s.Stage);
        var stages = new List<StageDifference>();
        var same = 0;
        // The cells of a stage together, although they ended in between others.
        foreach (var name in later.Keys.Concat(earlier.Keys.Where(n => !later.ContainsKey(n))).GroupBy(n => n.Split('@')[0]).SelectMany(cells => cells))
        {
            PastStage? a = earlier.GetValueOrDefault(name), b = later.GetValueOrDefault(name);
            if (a is not null && b is not null && a.Key == b.Key && a.Tree == b.Tree && (a.Tree is not null || a.State == b.State)) same++;
            else stages.Add(await CompareAsync(store, name, a, b, cancellation).ConfigureAwait(false));
        }

        var parameters = before.Parameters.Keys.Union(after.Parameters.Keys).Order(StringComparer.Ordinal)
            .Select(p => new ValueDifference(p, before.Parameters.GetValueOrDefault(p), after.Parameters.GetValueOrDefault(p))).Where(d => d.Before != d.After).ToList();
        return new RunDifference(before, after, parameters, stages, same);
    }

    private static async Task<StageDifference> CompareAsync(IArtifactStore store, string name, PastStage? a, PastStage? b, CancellationToken cancellation)
    {
        var (first, second) = (await RecordAsync(store, a, cancellation).ConfigureAwait(false), await RecordAsync(store, b, cancellation).ConfigureAwait(false));
        var causes = new List<Reason>();
        if (first is not null && second is not null)
        {
            var files = new InputFiles(store);
            foreach (var cause in KeyDifference.Between(first.Document, second.Document))
                causes.Add(await files.DescribeAsync(cause, cancellation).ConfigureAwait(false));
        }

        var metrics = new List<ValueDifference>();
        if (first is not null || second is not null) Metrics("", first?.Metrics, second?.Metrics, metrics);
        var old = (first?.Files ?? []).ToDictionary(f => f.Path, f => f.Digest);
        var now = (second?.Files ?? []).ToDictionary(f => f.Path, f => f.Digest);
        var differing = old.Keys.Union(now.Keys).Order(StringComparer.Ordinal)
            .Select(p => new FileDifference(p, old.TryGetValue(p, out var x) ? x : null, now.TryGetValue(p, out var y) ? y : null)).Where(f => f.Before != f.After).ToList();
        return new StageDifference(name, a?.State, b?.State, causes, metrics, differing);
    }

    private static void Metrics(string path, JsonNode? a, JsonNode? b, List<ValueDifference> found)
    {
        if ((a is JsonObject || a is null) && (b is JsonObject || b is null) && (a ?? b) is not null)
        {
            foreach (var name in ((a as JsonObject)?.Select(m => m.Key) ?? []).Union((b as JsonObject)?.Select(m => m.Key) ?? []).Order(StringComparer.Ordinal))
                Metrics(path.Length == 0 ? name : $"{path}.{name}", (a as JsonObject)?[name], (b as JsonObject)?[name], found);
            return;
        }

        string? x = a is null ? null : CanonicalJson.Write(a), y = b is null ? null : CanonicalJson.Write(b);
        if (x != y) found.Add(new ValueDifference(path, x, y));
    }

    private static async Task<ActionRecord?> RecordAsync(IArtifactStore store, PastStage? stage, CancellationToken cancellation)
    {
        if (stage is not { Key: { } key, Tree: { } tree }) return null;
        return (await store.RecordsAsync([key], cancellation).ConfigureAwait(false))[0].FirstOrDefault(r => r.Tree == tree);
    }
}
