using Ssti.Engine.Pipelines;
using Ssti.Stages;

namespace Ssti.Snapshots.Tests;

/// <summary>The pipeline with a stage of every kind.</summary>
internal static class EveryKind
{
    public const string Path = "tests/Ssti.Snapshots.Tests/every-kind.yaml";

    /// <summary>Every kind there is, by name: a new one brings new cases, which fail until it has a stage and its snapshots.</summary>
    public static TheoryData<string> Names() => [.. StageKinds.All.Select(kind => kind.Name)];

    /// <summary>The stage that stands for a kind.</summary>
    public static StageInstance InstanceOf(Pipeline pipeline, string kind)
    {
        var instance = pipeline.Instances.SingleOrDefault(instance => instance.Name == kind && instance.Kind.Name == kind);
        Assert.True(instance is not null, $"the kind '{kind}' has no snapshots: add a stage '{kind}' of this kind to {Path}");
        return instance;
    }
}
