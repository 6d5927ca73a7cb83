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

    [Fact]
    public void What_an_index_does_not_name_is_not_read()
    {
        WriteIndex("""{"weight_map":{"a":"model-1.safetensors","c":"model-2.safetensors"}}""");

        using var weights = ModelWeights.Read(_folder);

        Assert.Equal(["a", "c"], weights.Tensors.Keys.Order());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_no_number_is_found_in_every_type_of_floating_point(float value)
    {
        using var scope = NewDisposeScope();
        foreach (var type in new[] { ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 })
        {
            var tensor = ones(3, 400_000, type);
            SafetensorsFile.Write(Path.Combine(_folder, "model.safetensors"), new Dictionary<string, Tensor> { ["a"] = ones(5), ["w"] = tensor });
            var read = 0L;
            ModelWeights.Open(_folder).RequireFinite(["a", "w"], done => read = done, CancellationToken.None);
            Assert.Equal(20 + (1_200_000 * tensor.element_size()), read);

            tensor[2, 399_999] = value;
            SafetensorsFile.Write(Path.Combine(_folder, "model.safetensors"), new Dictionary<string, Tensor> { ["a"] = ones(5), ["w"] = tensor });
            var error = Assert.Throws<SafetensorsException>(() => ModelWeights.Open(_folder, "hf://a/b").RequireFinite(["a", "w"], null, CancellationToken.None));
            Assert.Contains("hf://a/b/model.safetensors: tensor 'w' has a value that is no finite number (element 1199999)", error.Message);
        }
    }

    [Fact]
    public void What_is_infinite_in_the_precision_that_is_computed_in_is_no_number()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(_folder, "model.safetensors"), new Dictionary<string, Tensor> { ["w"] = full(2, 1e300, ScalarType.Float64) });
        Assert.Contains("'w'", Assert.Throws<SafetensorsException>(() => ModelWeights.Open(_folder).RequireFinite(["w"], null, CancellationToken.None)).Message);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors","c":"model-1.safetensors"}}""", "lacks 'c'")]
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
