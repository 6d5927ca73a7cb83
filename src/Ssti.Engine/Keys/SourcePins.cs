using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Engine.Parameters;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Keys;

/// <summary>Who says which revision a source stands for.</summary>
public enum PinOrigin
{
    /// <summary>The URI itself.</summary>
    Pipeline,

    /// <summary>The lock file.</summary>
    Lock,

    /// <summary>Nobody for good: it is what the source meant when it was asked for.</summary>
    Resolved,
}

/// <summary>A remote source of a pipeline, at one revision.</summary>
/// <param name="Name">What it names, as in lock files.</param>
/// <param name="Revision">The revision that stands in keys.</param>
/// <param name="Origin">Who says so.</param>
/// <param name="Told">More of that, for people, or null.</param>
/// <param name="Stages">The stages that name it.</param>
public sealed record PinnedSource(string Name, string Revision, PinOrigin Origin, string? Told, IReadOnlyList<string> Stages);

/// <summary>
/// Puts a revision in the place of every remote source's open end, before keys are built: from the URI itself, from the lock file, or by asking. Each source
/// is asked for once, so that all that is planned, run and executed again with this object means the same.
/// </summary>
/// <param name="resolver">Knows the schemes.</param>
/// <param name="file">The pipeline's lock.</param>
/// <param name="keepToLock">Whether to refuse a source that the lock does not hold, rather than ask.</param>
/// <param name="overridden">Whether the pipeline is another than its file says: then the lock may hold what this one does not name.</param>
/// <param name="profiles">The same file with its other profiles: the lock holds what any of them names.</param>
public sealed class SourcePins(
    ISourceResolver resolver, SourceLock file, bool keepToLock = false, bool overridden = false, IReadOnlyList<Pipeline>? profiles = null)
{
    private readonly Dictionary<string, ResolvedSource> _asked = [];

    /// <summary>The pipeline with every remote source of the needed instances at a revision, and a list of them.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="needed">Which instances are looked at, by index; nobody is asked for what the others name.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="LockException">The lock must hold, and does not.</exception>
    /// <exception cref="StageException">What a source means cannot be had.</exception>
    public async Task<Pipeline> PinAsync(Pipeline pipeline, IReadOnlyList<bool> needed, CancellationToken cancellation)
    {
        var instances = pipeline.Instances.ToArray();
        var pinned = new Dictionary<(string Name, string Revision), (PinOrigin Origin, string? Told, List<string> Stages)>();
        if (keepToLock) RequireInLock(pipeline, needed);
        for (var i = 0; i < instances.Length; i++)
        {
            if (!needed[i] || !RecordShape.Of(instances[i].Kind.ParametersType).HoldsSources) continue;
            var sources = ParameterWriter.Sources(instances[i].Parameters).ToArray();
            var changed = false;
            for (var s = 0; s < sources.Length; s++)
            {
                if (!sources[s].IsUri || resolver.Read(instances[i].Kind, sources[s].Text) is not { } source) continue;
                var (revision, origin, told) = await RevisionAsync(instances[i].Kind, source, sources[s].Text, cancellation).ConfigureAwait(false);
                if (!pinned.TryGetValue((source.Name, revision), out var entry)) pinned[(source.Name, revision)] = entry = (origin, told, []);
                if (!entry.Stages.Contains(instances[i].Stage)) entry.Stages.Add(instances[i].Stage);
                changed |= source.At(revision) != sources[s].Text;
                sources[s] = new SourcePath(source.At(revision), null);
            }

            if (changed) instances[i] = instances[i] with { Parameters = With(instances[i], sources) };
        }

        return pipeline with
        {
            Instances = instances,
            Sources = [.. pinned.Select(p => new PinnedSource(p.Key.Name, p.Key.Revision, p.Value.Origin, p.Value.Told, p.Value.Stages))
                .OrderBy(source => source.Name, StringComparer.Ordinal).ThenBy(source => source.Revision, StringComparer.Ordinal)],
        };
    }

    /// <summary>The sources of a pipeline, under each of its profiles, that have no revision of their own, each by one of the stages that name it.</summary>
    /// <exception cref="StageException">A URI is malformed.</exception>
    public static IReadOnlyList<(IStageKind Kind, string Uri, RemoteSource Source)> OpenEnds(IEnumerable<Pipeline> profiles, ISourceResolver resolver) =>
    [
        .. profiles.SelectMany(pipeline => Of(pipeline, resolver, _ => true)).Where(found => found.Source.Revision is null).DistinctBy(found => found.Source.Name)
            .OrderBy(found => found.Source.Name, StringComparer.Ordinal),
    ];

    private static IEnumerable<(IStageKind Kind, string Uri, RemoteSource Source)> Of(Pipeline pipeline, ISourceResolver resolver, Func<int, bool> needed) =>
        from instance in pipeline.Instances
        where needed(instance.Index) && RecordShape.Of(instance.Kind.ParametersType).HoldsSources
        from path in ParameterWriter.Sources(instance.Parameters)
        where path.IsUri
        let source = resolver.Read(instance.Kind, path.Text)
        where source is not null
        select (instance.Kind, path.Text, source);

    private async Task<(string Revision, PinOrigin Origin, string? Told)> RevisionAsync(
        IStageKind kind, RemoteSource source, string uri, CancellationToken cancellation)
    {
        if (source.Revision is { } own) return (own, PinOrigin.Pipeline, null);
        if (file.Revisions.TryGetValue(source.Name, out var locked))
        {
            if (resolver.Read(kind, source.At(locked))?.Revision == locked) return (locked, PinOrigin.Lock, null);
            throw new LockException($"{file.Path} has '{locked}' for {source.Name}, which is no commit: correct it, or write it anew with 'ssti lock --update'");
        }

        if (!_asked.TryGetValue(source.Name, out var asked))
            _asked[source.Name] = asked = await resolver.ResolveAsync(kind, uri, anew: false, cancellation).ConfigureAwait(false);
        return (asked.Revision, PinOrigin.Resolved, asked.Told);
    }

    // All that is missing at once: nobody wants to hear of it one by one.
    private void RequireInLock(Pipeline pipeline, IReadOnlyList<bool> needed)
    {
        var missing = Of(pipeline, resolver, i => needed[i]).Where(found => found.Source.Revision is null).Select(found => found.Source.Name)
            .Distinct().Where(name => !file.Revisions.ContainsKey(name)).ToList();
        var named = OpenEnds([pipeline, .. profiles ?? []], resolver).Select(found => found.Source.Name);
        var unused = overridden ? [] : file.Revisions.Keys.Except(named).Order(StringComparer.Ordinal).ToList();
        if (missing.Count == 0 && unused.Count == 0) return;
        var what = string.Join("; ", new[]
        {
            missing.Count > 0 ? $"{(file.Exists ? "" : "there is none, and ")}it lacks {string.Join(", ", missing)}" : "",
            unused.Count > 0 ? $"it holds {string.Join(", ", unused)}, which the pipeline does not name without a revision" : "",
        }.Where(part => part.Length > 0));
        throw new LockException(
            $"--locked: the lock file {file.Path} does not fit the pipeline: {what}. Write it with 'ssti lock {pipeline.File}', and keep it beside the pipeline");
    }

    // By way of JSON, as parameters travel to other machines.
    private static object With(StageInstance instance, SourcePath[] sources)
    {
        var next = 0;
        var json = ParameterWriter.Write(instance.Parameters, _ => JsonValue.Create((next++).ToString(CultureInfo.InvariantCulture)));
        return ParameterReader.Read(instance.Kind, json, number => sources[int.Parse(number.GetValue<string>(), CultureInfo.InvariantCulture)]);
    }
}
