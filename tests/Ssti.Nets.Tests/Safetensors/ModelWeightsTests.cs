using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Safetensors;

public sealed class ModelWeightsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti model ").FullName;

    public ModelWeightsTests()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(_folder, "model-1.safetensors"), new Dictionary<string, Tensor> { ["a"] = ones(2), ["b"] = zeros(3) });
        SafetensorsFile.Write(Path.Combine(_folder, "model-2.safetensors"), new Dictionary<string, Tensor> { ["c"] = full(4, 7.0) });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_of_shards_reads_as_one_model()
    {
        WriteIndex("""{"metadata":{"total_size":36},"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"}}""");

        using var weights = ModelWeights.Read(_folder);

        Assert.Equal(["a", "b", "c"], weights.Tensors.Keys.Order());
        Assert.Equal(28f, weights.Tensors["c"].sum().item<float>());
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-1.safetensors"}}""", "lacks 'c'")]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","c":"model-2.safetensors"}}""", "holds 'b'")]
    [InlineData("""{"weight_map":{"a":"../model-1.safetensors"}}""", "not a file name in the same folder")]
    [InlineData("""{"weight_map":{"a":"model-3.safetensors"}}""", "model-3.safetensors")]
    [InlineData("""{"weights":{}}""", "not an index")]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","a":"model-2.safetensors"}}""", "'a' stands twice")]
    public void An_index_that_does_not_fit_its_shards_is_refused(string index, string expected)
    {
        WriteIndex(index);

        Assert.Contains(expected, Assert.Throws<SafetensorsException>(() => ModelWeights.Read(_folder)).Message);
    }

    [Fact]
    public void A_folder_without_safetensors_says_what_is_wanted() =>
        Assert.Contains("model.safetensors", Assert.Throws<SafetensorsException>(() => ModelWeights.Read(_folder)).Message);

    private void WriteIndex(string json) => File.WriteAllText(Path.Combine(_folder, "model.safetensors.index.json"), json);
}
