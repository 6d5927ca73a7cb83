using Ssti.Engine.Planning;

namespace Ssti.Engine.Running;

/// <summary>How a pipeline is run.</summary>
public sealed record RunOptions
{
    /// <summary>What is run.</summary>
    public RunSelection Selection { get; init; } = RunSelection.All;

    /// <summary>Slots: how many stages run at once. A stage with tensors on the CPU takes as many as its compute threads.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>GPUs that stages share.</summary>
    public int Gpus { get; init; } = 1;

    /// <summary>
    /// How many stages a GPU is given to at once; one that takes several GPUs has them to itself. No key and no byte depends on it.
    /// </summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>Bytes of memory that stages with <c>resources: { memory: ... }</c> share, or null for no limit.</summary>
    public long? Memory { get; init; }

    /// <summary>
    /// How many stages may be worked at together on one place, where their kind can (<see cref="Stages.StageKind{TParameters}.Likeness"/>) and this process executes
    /// them. No key and no byte depends on it.
    /// </summary>
    public int Together { get; init; } = 1;

    /// <summary>Whether to go on with what does not need a failed stage.</summary>
    public bool KeepGoing { get; init; }

    /// <summary>Whether a warning is a failure: a stage that warned has failed, now or when it was made, and what needs it does not run. What is stored stays.</summary>
    public bool Strict { get; init; }

    /// <summary>How long running stages may take to stop when the run is cancelled.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether stages are executed by somebody else, perhaps on other machines.</summary>
    internal bool Elsewhere { get; init; }

    /// <summary>The command line, for the journal.</summary>
    public string CommandLine { get; init; } = "";
}
