using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>One stage to be executed, its key known: all that a worker needs, and nothing of the pipeline around it.</summary>
public sealed record WorkOrder
{
    /// <summary>The key document.</summary>
    public required KeyDocument Document { get; init; }

    /// <summary>The key.</summary>
    public Digest Key => Document.Key;

    /// <summary>The stage's kind.</summary>
    public required IStageKind Kind { get; init; }

    /// <summary>The parameter record, of the kind's <see cref="IStageKind.ParametersType"/>.</summary>
    public required object Parameters { get; init; }

    /// <summary>The instance's name, such as <c>train@base</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The pipeline's name, for the record.</summary>
    public required string Pipeline { get; init; }

    /// <summary>The run, for the record.</summary>
    public required string Run { get; init; }

    /// <summary>The stage's seed; 0 for one that draws nothing.</summary>
    public required long Seed { get; init; }

    /// <summary>The profile that the output has to tell, as it stands in the key; null without one.</summary>
    public string? Profile { get; init; }

    /// <summary>What to compute with.</summary>
    public required ComputeSettings Compute { get; init; }

    /// <summary>The outputs of other stages that it takes.</summary>
    public required IReadOnlyList<OrderInput> Inputs { get; init; }

    /// <summary>Retries, timeout and resources.</summary>
    public required StagePolicy Policy { get; init; }

    /// <summary>Its GPUs, by number; empty where it takes none, or where they are given out elsewhere.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>How many stages each of them is given to at once at most; 1: it has them to itself.</summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>The stages that it is worked at together with, in this process; null for none.</summary>
    public GroupSeat? Group { get; init; }

    /// <summary>What it computes with in this very place: of several GPUs its own, which the key does not know.</summary>
    internal ComputeSettings ComputeHere => Compute.Device == "cuda" && Gpus is [var first, ..] ? Compute with { Device = $"cuda:{first}" } : Compute;

    /// <summary>Whether to execute it although it is cached.</summary>
    public bool Forced { get; init; }

    /// <summary>Why it runs, for its log.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>Sources that lie in the store and are wanted as files; empty where sources lie on this machine already.</summary>
    public IReadOnlyList<OrderSource> Sources { get; init; } = [];

    /// <summary>Throws when a source on this machine changed since its digest was taken: called before an output is stored under that key.</summary>
    public Action RequireUnchanged { get; init; } = static () => { };

    /// <summary>Seconds it has been ready and waiting so far.</summary>
    public double Queued { get; init; }

    /// <summary>The order for a planned stage.</summary>
    /// <param name="pipeline">Its pipeline.</param>
    /// <param name="planned">The stage, its key known.</param>
    /// <param name="trees">The outputs of what it needs, by index.</param>
    /// <param name="keys">What made its key.</param>
    /// <param name="run">The run.</param>
    internal static WorkOrder Of(Pipeline pipeline, PlannedStage planned, Func<int, Digest> trees, KeyBuilder keys, string run) => new()
    {
        Document = planned.Document!,
        Kind = planned.Instance.Kind,
        Parameters = planned.Instance.Parameters,
        Stage = planned.Instance.Name,
        Pipeline = pipeline.Name,
        Run = run,
        Seed = planned.Instance.Seed ?? 0,
        Profile = planned.Instance.Profile,
        Compute = keys.Compute(planned.Instance),
        RequireUnchanged = () => keys.RequireUnchanged(planned.Instance),
        Inputs = InputsOf(pipeline, planned.Instance, trees),
        Policy = planned.Instance.Policy,
        Forced = planned.Reasons.Any(reason => reason.Kind == ReasonKind.Forced),
        Reasons = [.. planned.Reasons.Select(reason => reason.ToString())],
    };

    /// <summary>The inputs of an instance. Cells are left out where the kind does not declare that it reads them.</summary>
    internal static IReadOnlyList<OrderInput> InputsOf(Pipeline pipeline, StageInstance instance, Func<int, Digest> trees) =>
    [
        .. instance.Inputs.Select(input => new OrderInput(input.Declaration.Name, [.. input.From.Select(index =>
        {
            var from = pipeline.Instances[index];
            var cell = input.Declaration.ReadsCells ? from.Cell : System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
            return new OrderTree(from.Name, from.Kind.Name, cell, trees(index));
        })])),
    ];
}

/// <summary>An input of an order.</summary>
/// <param name="Name">The input's name, a key under <c>needs:</c>.</param>
/// <param name="Trees">What it takes, in order.</param>
public sealed record OrderInput(string Name, IReadOnlyList<OrderTree> Trees);

/// <summary>The output of another stage.</summary>
/// <param name="Stage">The instance that made it.</param>
/// <param name="Uses">The kind that made it.</param>
/// <param name="Cell">The instance's matrix values; empty where they may not be looked at.</param>
/// <param name="Tree">The tree.</param>
public sealed record OrderTree(string Stage, string Uses, IReadOnlyDictionary<string, string> Cell, Digest Tree);

/// <summary>A source that a parameter names and the store holds.</summary>
/// <param name="Content">A blob, or for a folder its tree.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="Path">Where the parameter expects it.</param>
public sealed record OrderSource(Digest Content, bool IsFolder, string Path);
