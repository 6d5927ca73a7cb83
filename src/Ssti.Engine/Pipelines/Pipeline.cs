using Ssti.Engine.Keys;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>A checked pipeline: every stage bound to its kind, every matrix expanded, every edge resolved.</summary>
public sealed record Pipeline
{
    /// <summary>The name, also that of its history; by default the file's.</summary>
    public required string Name { get; init; }

    /// <summary>What it is about, or null.</summary>
    public string? Description { get; init; }

    /// <summary>The file as the user named it.</summary>
    public required string File { get; init; }

    /// <summary>Which of the pipelines of this name it is (<see cref="ProjectFolder.PlaceOf"/>).</summary>
    public required string Place { get; init; }

    /// <summary>The seed that stages' seeds derive from.</summary>
    public required long Seed { get; init; }

    /// <summary>The profile it was loaded with; null for the file's own parameters.</summary>
    public AppliedProfile? Profile { get; init; }

    /// <summary>The profiles there are, with their descriptions.</summary>
    public IReadOnlyDictionary<string, string?> Profiles { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string?>.Empty;

    /// <summary>The parameters by name, as canonical text, after the profile and <c>--set</c>.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>The stages, each after those it needs; otherwise in the order they are written.</summary>
    public required IReadOnlyList<Stage> Stages { get; init; }

    /// <summary>The instances of all stages in the same order: an instance's inputs stand before it.</summary>
    public required IReadOnlyList<StageInstance> Instances { get; init; }

    /// <summary>The remote sources and their revisions, once these are known (<see cref="SourcePins"/>); of the instances that were looked at.</summary>
    public IReadOnlyList<PinnedSource> Sources { get; init; } = [];
}

/// <summary>A stage as written, with the instances its matrix gives.</summary>
/// <param name="Name">Its key under <c>stages:</c>.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Description">What it is for, or null.</param>
/// <param name="Where">Where it is written.</param>
/// <param name="Dimensions">Its matrix dimensions in order, the inherited ones first.</param>
/// <param name="Needs">The stages it needs, by name, each once.</param>
/// <param name="FirstInstance">The index of its first instance.</param>
/// <param name="InstanceCount">How many instances it has.</param>
public sealed record Stage(
    string Name, IStageKind Kind, string? Description, SourceLocation Where, IReadOnlyList<string> Dimensions, IReadOnlyList<string> Needs,
    int FirstInstance, int InstanceCount);

/// <summary>A stage in one matrix cell: what is planned, keyed and run.</summary>
public sealed record StageInstance
{
    /// <summary>Its index in <see cref="Pipeline.Instances"/>.</summary>
    public required int Index { get; init; }

    /// <summary>Such as <c>train@base-40</c>, or <c>imdb</c> without a matrix.</summary>
    public required string Name { get; init; }

    /// <summary>The stage's name.</summary>
    public required string Stage { get; init; }

    /// <summary>The stage's kind.</summary>
    public required IStageKind Kind { get; init; }

    /// <summary>The parameter record, of the kind's <see cref="IStageKind.ParametersType"/>.</summary>
    public required object Parameters { get; init; }

    /// <summary>Matrix dimensions and their values' names, in order.</summary>
    public required IReadOnlyDictionary<string, string> Cell { get; init; }

    /// <summary>The inputs that are given, in the order of the kind's inputs.</summary>
    public required IReadOnlyList<InstanceInput> Inputs { get; init; }

    /// <summary>The seed; null for a stage that draws nothing.</summary>
    public required long? Seed { get; init; }

    /// <summary>What it asks to compute with.</summary>
    public required ComputeRequest Compute { get; init; }

    /// <summary>Text that stands in the key for no other reason than to change it, or null.</summary>
    public string? Salt { get; init; }

    /// <summary>The profile that it has to tell, as in <see cref="AppliedProfile.ToString"/>; null without one, and for a kind that tells none.</summary>
    public string? Profile { get; init; }

    /// <summary>How it is to be run; not part of its key.</summary>
    public required StagePolicy Policy { get; init; }

    /// <summary>Where the stage is written.</summary>
    public required SourceLocation Where { get; init; }
}

/// <summary>An input of an instance.</summary>
/// <param name="Declaration">The input as the kind declares it.</param>
/// <param name="From">Indices of the instances whose outputs it takes, in order.</param>
public sealed record InstanceInput(StageInput Declaration, IReadOnlyList<int> From);

/// <summary>How a stage is run: nothing of this changes its bytes.</summary>
/// <param name="Retries">How often a failed attempt is repeated.</param>
/// <param name="Timeout">The longest an attempt may take, or null.</param>
/// <param name="Gpus">GPUs it takes, or null for its kind's default (one on CUDA, none otherwise).</param>
/// <param name="Memory">Bytes of memory it takes of what <c>--memory</c> allows, or null.</param>
public sealed record StagePolicy(int Retries = 0, TimeSpan? Timeout = null, int? Gpus = null, long? Memory = null);
