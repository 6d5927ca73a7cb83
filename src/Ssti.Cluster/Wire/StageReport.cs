using System.Text.Json.Nodes;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cluster.Wire;

/// <summary>How a stage stands with the silo that was asked.</summary>
internal enum ReportState
{
    /// <summary>It waits or works there.</summary>
    Working,

    /// <summary>It came to its end; the outcome is in the report.</summary>
    Finished,

    /// <summary>Nothing is known of it there: it is to be submitted again.</summary>
    Unknown,

    /// <summary>It will not be done there; submit it again, to another silo.</summary>
    Elsewhere,

    /// <summary>It cannot be done there, and asking again will not help; the error says why.</summary>
    Refused,
}

/// <summary>What a silo answers about a stage.</summary>
[GenerateSerializer]
internal sealed record StageReport
{
    [Id(0)] public required ReportState State { get; init; }

    /// <summary>Which execution this is about: a new one after a silo died.</summary>
    [Id(1)] public Guid Execution { get; init; }

    /// <summary>Who answers.</summary>
    [Id(2)] public required SiloAddress Silo { get; init; }

    /// <summary>What happened since the last report.</summary>
    [Id(3)] public List<StageEvent> Events { get; init; } = [];

    /// <summary>The number to ask on from.</summary>
    [Id(4)] public int Next { get; init; }

    [Id(5)] public OutcomeMessage? Outcome { get; init; }

    [Id(6)] public string? Error { get; init; }
}

/// <summary>What kind of thing happened to a stage.</summary>
internal enum StageEventKind
{
    Waiting,
    Started,
    Wrote,
    Said,
    Progressed,
    Retried,
    Warned,
}

/// <summary>Something that happened to a stage.</summary>
[GenerateSerializer]
internal sealed record StageEvent(
    [property: Id(0)] StageEventKind Kind, [property: Id(1)] string? Text = null, [property: Id(2)] long Done = 0, [property: Id(3)] long? Total = null,
    [property: Id(4)] string? Unit = null, [property: Id(5)] long? Rows = null)
{
    public static StageEvent Of(StageProgress progress) =>
        new(StageEventKind.Progressed, progress.Note, progress.Done, progress.Total, progress.Unit, progress.Rows);

    /// <summary>Tells it to a watcher.</summary>
    /// <param name="watcher">The watcher.</param>
    /// <param name="local">Puts what the sender called something in place of what the silo calls it.</param>
    public void Tell(IStageWatcher watcher, Func<string, string> local)
    {
        switch (Kind)
        {
            case StageEventKind.Waiting: watcher.Waiting(Text!); break;
            case StageEventKind.Started: watcher.Started(); break;
            case StageEventKind.Wrote: watcher.Wrote(local(Text!)); break;
            case StageEventKind.Said: watcher.Said(local(Text!)); break;
            case StageEventKind.Progressed: watcher.Progressed(new StageProgress(Done, Total, Unit!, Text) { Rows = Rows }); break;
            case StageEventKind.Retried: watcher.Retried((int)Done, local(Text!)); break;
            default: watcher.Warned(local(Text!)); break;
        }
    }
}

/// <summary>How a stage ended.</summary>
[GenerateSerializer]
internal sealed record OutcomeMessage(
    [property: Id(0)] StageState State, [property: Id(1)] string? Tree, [property: Id(2)] double[]? Durations, [property: Id(3)] string? Metrics,
    [property: Id(4)] int Attempts, [property: Id(5)] string? Error, [property: Id(6)] bool Unforeseen,
    [property: Id(7)] string[] Warnings, [property: Id(8)] int[] Gpus, [property: Id(9)] string[] Lost,
    [property: Id(10)] int PerGpu = 1)
{
    public static OutcomeMessage Of(StageOutcome outcome) => new(
        outcome.State, outcome.Tree?.ToString(), outcome.Durations is { } d ? [d.Queue, d.Fetch, d.Execute, d.Store] : null, outcome.Metrics?.ToJsonString(),
        outcome.Attempts, outcome.Error, outcome.Unforeseen, [.. outcome.Warnings], [.. outcome.Gpus], [.. outcome.Lost], outcome.PerGpu);

    public StageOutcome ToOutcome() => new()
    {
        State = State,
        Tree = Tree is null ? null : Digest.Parse(Tree),
        Durations = Durations is [var queue, var fetch, var execute, var store] ? new ActionDurations(queue, fetch, execute, store) : null,
        Metrics = Metrics is null ? null : JsonNode.Parse(Metrics)!.AsObject(),
        Attempts = Attempts,
        Error = Error,
        Unforeseen = Unforeseen,
        Warnings = Warnings,
        Gpus = Gpus,
        PerGpu = Math.Max(1, PerGpu),
        Lost = Lost,
    };
}
