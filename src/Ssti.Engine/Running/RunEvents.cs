using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Hears what happens in a run. Events come one at a time, in order; a listener must not block.</summary>
public interface IRunListener
{
    /// <summary>Something happened.</summary>
    void On(RunEvent happened);
}

/// <summary>Something that happened in a run.</summary>
public abstract record RunEvent
{
    private RunEvent()
    {
    }

    /// <summary>The plan is made; nothing has run yet.</summary>
    /// <param name="RunId">The run.</param>
    /// <param name="Plan">The plan.</param>
    public sealed record PlanReady(string RunId, Plan Plan) : RunEvent;

    /// <summary>A stage began to execute.</summary>
    /// <param name="Stage">The stage, with the reasons as they turned out once its inputs were known.</param>
    public sealed record StageStarted(PlannedStage Stage) : RunEvent;

    /// <summary>A stage waits: for another process that works on the same key, or for a free place.</summary>
    /// <param name="Instance">The instance.</param>
    /// <param name="For">For what, for people.</param>
    public sealed record StageWaiting(StageInstance Instance, string For) : RunEvent;

    /// <summary>A stage told how far it is.</summary>
    /// <param name="Instance">The instance.</param>
    /// <param name="Progress">How far.</param>
    public sealed record StageProgressed(StageInstance Instance, StageProgress Progress) : RunEvent;

    /// <summary>A stage wrote a line to its log.</summary>
    /// <param name="Instance">The instance.</param>
    /// <param name="Line">The line.</param>
    public sealed record StageLogged(StageInstance Instance, string Line) : RunEvent;

    /// <summary>An attempt failed, and another follows.</summary>
    /// <param name="Instance">The instance.</param>
    /// <param name="Attempt">Which attempt failed, from 1.</param>
    /// <param name="Error">Why.</param>
    public sealed record StageRetried(StageInstance Instance, int Attempt, string Error) : RunEvent;

    /// <summary>A stage came to its end, whichever.</summary>
    /// <param name="Result">How.</param>
    public sealed record StageFinished(StageResult Result) : RunEvent;

    /// <summary>Something is odd, but the run goes on.</summary>
    /// <param name="Message">What.</param>
    public sealed record Warned(string Message) : RunEvent;

    /// <summary>Nothing of this run is written down: the store cannot be written, and nothing had to be.</summary>
    /// <param name="Why">Why not.</param>
    public sealed record Unrecorded(string Why) : RunEvent;

    /// <summary>The run is over.</summary>
    /// <param name="Result">How.</param>
    public sealed record RunFinished(RunResult Result) : RunEvent;
}

/// <summary>How a stage ended.</summary>
public enum StageState
{
    /// <summary>Its outputs were there.</summary>
    Cached,

    /// <summary>It was executed.</summary>
    Done,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It was not begun: something it needs failed or is not selected, or the run was stopping.</summary>
    Skipped,

    /// <summary>It was interrupted.</summary>
    Cancelled,
}

/// <summary>How a stage ended, with what it left.</summary>
public sealed record StageResult
{
    /// <summary>The instance.</summary>
    public required StageInstance Instance { get; init; }

    /// <summary>How it ended.</summary>
    public required StageState State { get; init; }

    /// <summary>Why it had to run; empty when cached.</summary>
    public IReadOnlyList<Reason> Reasons { get; init; } = [];

    /// <summary>Its key, once known.</summary>
    public Digest? Key { get; init; }

    /// <summary>Its output tree, when it has one.</summary>
    public Digest? Tree { get; init; }

    /// <summary>Where its time went, when it was executed.</summary>
    public ActionDurations? Durations { get; init; }

    /// <summary>When execution began, in seconds since the run began.</summary>
    public double? StartedAt { get; init; }

    /// <summary>When it was over, however it ended, in seconds since the run began; null when it was not begun.</summary>
    public double? EndedAt { get; init; }

    /// <summary>Facts it reported.</summary>
    public System.Text.Json.Nodes.JsonObject? Metrics { get; init; }

    /// <summary>Why its outputs are doubtful, in the stage's own words; of a cached stage, those of when it was made.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Its GPUs, by number.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>How many stages each of its GPUs was given to at once at most, this one included; 1: it had them to itself.</summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>
    /// How many stages it was worked at together with, itself included, so that its time is that of all of them; 1: it was alone.
    /// </summary>
    public int Together { get; init; } = 1;

    /// <summary>
    /// Seconds that its execution took; of a stage that was worked at together with others its share, the time of all of them divided by
    /// how many they were. Null where it was not executed to its end.
    /// </summary>
    public double? OwnSeconds => Durations?.Execute / Math.Max(1, Together);

    /// <summary>Stages it needs whose outputs could not be read.</summary>
    internal IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    /// <summary>Why it failed or was skipped: for people, and without a stack trace.</summary>
    public string? Error { get; init; }

    /// <summary>The file with its log, when it was begun.</summary>
    public string? LogPath { get; init; }

    /// <summary>That of a stage that was cached.</summary>
    internal static StageResult Cached(PlannedStage stage) =>
        new() { Instance = stage.Instance, State = StageState.Cached, Key = stage.Key, Tree = stage.Hit!.Tree, Warnings = stage.Hit.Warnings };

    /// <summary>That of a stage that was not executed, or not to its end.</summary>
    internal static StageResult Ended(PlannedStage stage, StageState state, string error) =>
        new() { Instance = stage.Instance, State = state, Reasons = stage.Reasons, Key = stage.Key, Error = error };

    /// <summary>The result for who takes a doubtful one for none. It stays stored, and a run that does not ask so goes on from it.</summary>
    internal StageResult Strictly() => this is { State: StageState.Done or StageState.Cached, Warnings: [var first, ..] }
        ? this with
        {
            State = StageState.Failed,
            Error = $"strict: it warns: {first}{(Warnings.Count > 1 ? $" (and {Warnings.Count - 1} more)" : "")}",
        }
        : this;
}

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    /// <summary>Everything selected is there.</summary>
    Succeeded,

    /// <summary>A stage failed.</summary>
    Failed,

    /// <summary>It was interrupted.</summary>
    Cancelled,
}

/// <summary>A run that is over.</summary>
/// <param name="RunId">Its name under <c>runs/</c>.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Plan">What was planned.</param>
/// <param name="Stages">How each stage ended, in the pipeline's order.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record RunResult(string RunId, RunOutcome Outcome, Plan Plan, IReadOnlyList<StageResult> Stages, double Seconds)
{
    /// <summary>What was odd about the run or the store; what stages warned of is with them.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>How much of their time its GPUs had a stage at work on them; none where stages were executed on other machines.</summary>
    public IReadOnlyList<Records.GpuUse> Gpus { get; init; } = [];
}
