using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Cli.Tests;

/// <summary>What is said of GPUs that stages shared, and of times that are those of a group.</summary>
public sealed class GpuTextTests
{
    private static readonly PastRun Run = new(
        "000001-0000", "p", "", "", default, "succeeded", 50, new Dictionary<string, string>(),
        [Stage("a", 0, 10, 30), Stage("b", 0, 25, 50), Stage("c", 1, 0, 10, together: 4), Stage("d", 1, 30, 40)], []);

    [Fact]
    public void The_share_of_each_GPUs_time_is_told_with_what_it_means() => Assert.Equal(
        "GPU 0 100.0 %, GPU 1 50.0 % of the time between its first and last stage with a stage at work on it, 1.0 at once on average; "
        + "its kernels ran for less",
        RunText.Gpus(GpuUse.Of(Run)));

    [Fact]
    public void The_page_and_the_JSON_of_a_trace_say_who_shared_what()
    {
        var page = TimelinePage.Of(Run);
        Assert.Contains("GPU 0 100.0 %, GPU 1 50.0 %", page);
        Assert.Contains("<td>done, GPU 0, shared by up to 2 stages</td>", page);
        Assert.Contains("<td>done, GPU 1, shared by up to 2 stages, of a group of 4</td>", page);
        // The group's ten seconds are counted as a quarter of it each, and there is one of its four here.
        Assert.Contains($"{Durations.Show(20 + 25 + 2.5 + 10)} of work", page);
        var gpus = RunTrace.Of(Run)["otherData"]!["gpus"]!.AsArray();
        Assert.Equal([1, 0.5], gpus.Select(gpu => gpu!["share"]!.GetValue<double>()));
        var shown = ShowJson.Of(Run);
        Assert.Equal([1, 1, 4, 1], shown["stages"]!.AsArray().Select(stage => stage!["together"]!.GetValue<int>()));
        Assert.True(JsonNode.DeepEquals(gpus, shown["gpus"]));
    }

    private static PastStage Stage(string name, int gpu, double start, double end, int together = 1) =>
        new(name, "train", "done", null, null, start, end, new ActionDurations(0, 0, end - start, 0), null, null, null)
        {
            Gpus = [gpu], PerGpu = 2, Together = together,
        };
}
