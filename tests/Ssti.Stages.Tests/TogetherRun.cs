using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

namespace Ssti.Stages.Tests;

/// <summary>Runs a pipeline through the engine, with stages that are ready at once begun together.</summary>
internal static class TogetherRun
{
    /// <param name="folder">Where the pipeline and the stores go.</param>
    /// <param name="yaml">The pipeline.</param>
    /// <param name="store">The store's name.</param>
    /// <param name="before">What is executed first, so that all that needs it is ready at once.</param>
    /// <param name="options">How the rest is run.</param>
    /// <param name="listener">Told what happens in the rest.</param>
    /// <param name="cancellation">Stops the rest.</param>
    public static async Task<RunResult> Async(
        string folder, string yaml, string store, string[] before, RunOptions options, IRunListener? listener = null, CancellationToken cancellation = default)
    {
        var file = Path.Combine(folder, "p.yaml");
        File.WriteAllText(file, yaml);
        var loaded = PipelineLoader.Load(file, [], new StageCatalog(StageKinds.All));
        Assert.True(loaded.Pipeline is not null, string.Join('\n', loaded.Diagnostics));
        var root = Path.Combine(folder, store);
        var runner = new Runner(new FileStore(root), new Workspace(root), new KeyBuilder(new ComputeProbe()));
        await runner.RunAsync(loaded.Pipeline!, new RunOptions { Jobs = 1, Selection = new() { Until = before } }, cancellation: CancellationToken.None);
        return await runner.RunAsync(loaded.Pipeline!, options, listener, cancellation);
    }
}
