using Snapshooter.Xunit;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Example.Tests;

public sealed class TokenDropTests : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("ssti-example-").FullName;

    public void Dispose() => Directory.Delete(_store, recursive: true);

    [Fact]
    public async Task A_pipeline_drops_words_after_injecting()
    {
        var catalog = new StageCatalog([.. StageKinds.All, new TokenDropStage()]);
        var loaded = PipelineLoader.Load(Path.Combine(AppContext.BaseDirectory, "token-drop.yaml"), [], catalog);
        var store = new FileStore(_store);
        var run = await new Runner(store, new Workspace(_store), new KeyBuilder(new ComputeProbe())).RunAsync(loaded.Pipeline!, new RunOptions());

        // The version, the key and every byte: whoever changes one of them without meaning to is told.
        var stage = run.Stages.Single(s => s.Instance.Name == "dropped@0.25");
        var tree = await store.TreeAsync(stage.Tree!.Value);
        Snapshot.Match(new
        {
            stage.Instance.Kind.Version,
            Key = (await store.RecordsAsync([stage.Key!.Value]))[0].Single().Document.ToJsonString(),
            Files = tree.Files.ToDictionary(f => f.Path, f => File.ReadAllText(store.PathOf(f.Digest))),
        });
    }
}
