using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Planning;

/// <summary>What is to be done with an instance.</summary>
public enum PlanState
{
    /// <summary>Its outputs are there.</summary>
    Cached,

    /// <summary>It has to run, or (with <see cref="ReasonKind.UpstreamStale"/> alone) may have to.</summary>
    Run,

    /// <summary>It would have to run, but is not selected: what needs it cannot run.</summary>
    Blocked,
}

/// <summary>The plan for an instance.</summary>
/// <param name="Instance">The instance.</param>
/// <param name="State">What is to be done.</param>
/// <param name="Reasons">Why it has to run; empty when cached.</param>
/// <param name="Document">Its key document; null while an input is not known.</param>
/// <param name="Hit">The record to use, when cached.</param>
/// <param name="Estimate">How long it took before, or null when it never ran.</param>
public sealed record PlannedStage(
    StageInstance Instance, PlanState State, IReadOnlyList<Reason> Reasons, KeyDocument? Document, RecordSummary? Hit, Estimate? Estimate)
{
    /// <summary>The key; null while an input is not known.</summary>
    public Digest? Key => Document?.Key;

    /// <summary>What the reasons compare with, where that is of another pipeline of the same name; null where it is this one's own.</summary>
    public HistoryEntry? Elsewhere { get; init; }
}

/// <summary>How long something takes, from what it took before.</summary>
/// <param name="Seconds">The median.</param>
/// <param name="Runs">Of how many runs.</param>
public sealed record Estimate(double Seconds, int Runs);

/// <summary>What a run would do.</summary>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="Stages">One entry for each selected instance, and each it needs, in the pipeline's order.</param>
/// <param name="Warnings">What is odd about the store: damaged outputs, actions that are not deterministic.</param>
public sealed record Plan(Pipeline Pipeline, IReadOnlyList<PlannedStage> Stages, IReadOnlyList<string> Warnings)
{
    /// <summary>Whether anything has to run.</summary>
    public bool IsStale => Stages.Any(s => s.State != PlanState.Cached);
}
