using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>The pipelines of the repository are right, with each of their profiles: nobody should find out on a GPU.</summary>
public sealed class ShippedPipelinesTests
{
    private static readonly StageCatalog Catalog = new(StageKinds.All);

    public static TheoryData<string> Pipelines =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "pipelines"), "*.yaml").Select(Path.GetFileName).OfType<string>().Where(name => name != "ssti.local.yaml")];

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void A_pipeline_loads_with_each_of_its_profiles(string name)
    {
        var own = Load(name, null);
        foreach (var profile in own.Profiles.Keys)
        {
            var pipeline = Load(name, profile);
            Assert.Equal(own.Stages.Select(stage => stage.Name).Order(), pipeline.Stages.Select(stage => stage.Name).Order());
            if (profile != "smoke") continue;
            // What makes it small, and the same on every machine.
            Assert.All(pipeline.Instances.Where(instance => instance.Kind.UsesTensors), instance => Assert.Equal(("cpu", "fp32"), (instance.Compute.Device, instance.Compute.Dtype)));
            Assert.All(pipeline.Instances.Select(instance => instance.Parameters).OfType<TrainParameters>(), train => Assert.InRange(train.Steps, 1, 60));
            Assert.InRange(pipeline.Instances.Count(instance => instance.Kind.Name == "train"), 0, 16);
        }
    }

    private static Pipeline Load(string name, string? profile)
    {
        var loaded = PipelineLoader.Load(Path.Combine(Repository.Root, "pipelines", name), [], Catalog, profile: profile);
        Assert.True(loaded.Diagnostics.Count == 0, $"{name} {profile}: {string.Join('\n', loaded.Diagnostics)}");
        return loaded.Pipeline!;
    }
}
