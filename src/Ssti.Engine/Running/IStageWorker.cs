using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>
/// Executes one stage: on this machine (<see cref="LocalWorker"/>), or by handing it to others. Planning, order of stages, journal and display
/// do not know which.
/// </summary>
public interface IStageWorker
{
    /// <summary>Executes a stage, unless it is recorded meanwhile. Whatever goes wrong with the stage is in the outcome.</summary>
    /// <param name="order">The stage.</param>
    /// <param name="watcher">Told what happens, one event at a time.</param>
    /// <param name="cancellation">Interrupts it: the outcome is <see cref="StageState.Cancelled"/>.</param>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    Task<StageOutcome> WorkAsync(WorkOrder order, IStageWatcher watcher, CancellationToken cancellation);
}

/// <summary>Hears what happens to one stage at work. Must not block.</summary>
public interface IStageWatcher
{
    /// <summary>It waits, for another at work on the same key or for a free place.</summary>
    /// <param name="what">For what, for people.</param>
    void Waiting(string what);

    /// <summary>It began to execute.</summary>
    void Started();

    /// <summary>A line, led by its time, was written to its log.</summary>
    /// <param name="line">The line.</param>
    void Wrote(string line);

    /// <summary>The stage itself wrote a line; <see cref="Wrote"/> tells the same with its time.</summary>
    /// <param name="line">The line.</param>
    void Said(string line);

    /// <summary>It told how far it is.</summary>
    /// <param name="progress">How far.</param>
    void Progressed(StageProgress progress);

    /// <summary>An attempt failed, and another follows.</summary>
    /// <param name="attempt">Which failed, from 1.</param>
    /// <param name="error">Why.</param>
    void Retried(int attempt, string error);

    /// <summary>Something is odd.</summary>
    /// <param name="message">What.</param>
    void Warned(string message);
}

/// <summary>How the execution of a stage ended.</summary>
public sealed record StageOutcome
{
    /// <summary>How it ended: done, cached, failed or cancelled.</summary>
    public required StageState State { get; init; }

    /// <summary>Its outputs, when it has some.</summary>
    public Digest? Tree { get; init; }

    /// <summary>Where its time went, when it was executed.</summary>
    public ActionDurations? Durations { get; init; }

    /// <summary>Facts it reported.</summary>
    public JsonObject? Metrics { get; init; }

    /// <summary>Why its outputs are doubtful, in the stage's own words.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Its GPUs, by number.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>How many stages each of its GPUs was given to at once at most, this one included; 1: it had them to itself.</summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>
    /// How many stages it was worked at together with, itself included, so that its time is that of all of them; 1: it was alone.
    /// </summary>
    public int Together { get; init; } = 1;

    /// <summary>Stages whose outputs it needs and which turned out to be damaged or missing: once they are rebuilt, it can be tried again.</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    /// <summary>Why it failed, for people.</summary>
    public string? Error { get; init; }

    /// <summary>Whether the error is one that nobody foresaw: its log says more.</summary>
    public bool Unforeseen { get; init; }
}
