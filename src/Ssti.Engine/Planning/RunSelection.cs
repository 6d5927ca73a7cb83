using Ssti.Engine.Pipelines;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Planning;

/// <summary>A glob of the command line selects nothing.</summary>
public sealed class SelectionException(string message) : Exception(message);

/// <summary>Which instances of a pipeline a run is about, by globs (<see cref="Glob"/>).</summary>
public sealed record RunSelection
{
    /// <summary>Everything.</summary>
    public static readonly RunSelection All = new();

    /// <summary>Only these and what they need; empty for everything.</summary>
    public IReadOnlyList<string> Until { get; init; } = [];

    /// <summary>Only these and what needs them. What they need themselves must be cached.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>Only these. What they need must be cached.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>These run although they are cached.</summary>
    public IReadOnlyList<string> Force { get; init; } = [];

    /// <summary>What is selected, by instance index.</summary>
    /// <exception cref="SelectionException">A glob selects nothing; the message says what there is.</exception>
    internal ResolvedSelection Resolve(Pipeline pipeline)
    {
        var count = pipeline.Instances.Count;
        var runnable = Enumerable.Repeat(true, count).ToArray();
        if (Until.Count > 0) Keep(runnable, Upstream(pipeline, Match(pipeline, Until)));
        if (From.Count > 0) Keep(runnable, Downstream(pipeline, Match(pipeline, From)));
        if (Only.Count > 0) Keep(runnable, Match(pipeline, Only));
        // What only serves as an input of something runnable is looked up, but not run.
        var needed = Upstream(pipeline, runnable);
        return new ResolvedSelection(runnable, needed, Force.Count == 0 ? new bool[count] : Match(pipeline, Force));
    }

    private static void Keep(bool[] runnable, bool[] these)
    {
        for (var i = 0; i < runnable.Length; i++) runnable[i] &= these[i];
    }

    private static bool[] Match(Pipeline pipeline, IReadOnlyList<string> patterns)
    {
        var selected = new bool[pipeline.Instances.Count];
        foreach (var pattern in patterns)
        {
            var glob = new Glob(pattern);
            var any = false;
            foreach (var instance in pipeline.Instances)
            {
                if (!glob.Matches(instance)) continue;
                selected[instance.Index] = any = true;
            }

            if (any) continue;
            var nearest = NearestWord.Find(pattern, pipeline.Stages.Select(s => s.Name).Concat(pipeline.Instances.Take(1000).Select(i => i.Name)));
            throw new SelectionException($"'{pattern}' selects no stage" + (nearest is null ? "" : $"; did you mean '{nearest}'?")
                + $"\n  stages: {string.Join(", ", pipeline.Stages.Select(s => s.Name).Take(40))}; cells are named like train@base, and * stands for any text");
        }

        return selected;
    }

    private static bool[] Upstream(Pipeline pipeline, bool[] selected)
    {
        var reached = (bool[])selected.Clone();
        for (var i = pipeline.Instances.Count - 1; i >= 0; i--)
        {
            if (!reached[i]) continue;
            foreach (var input in pipeline.Instances[i].Inputs)
                foreach (var from in input.From) reached[from] = true;
        }

        return reached;
    }

    private static bool[] Downstream(Pipeline pipeline, bool[] selected)
    {
        var reached = (bool[])selected.Clone();
        foreach (var instance in pipeline.Instances)
            reached[instance.Index] |= instance.Inputs.Any(input => input.From.Any(from => reached[from]));
        return reached;
    }
}

/// <summary>A selection on one pipeline.</summary>
/// <param name="Runnable">Instances that may run.</param>
/// <param name="Needed">Those, and all that they need.</param>
/// <param name="Forced">Instances that run although cached.</param>
internal sealed record ResolvedSelection(bool[] Runnable, bool[] Needed, bool[] Forced);
