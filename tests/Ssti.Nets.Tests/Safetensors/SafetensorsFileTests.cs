using System.Buffers.Binary;
using System.Text;
using Ssti.Nets.Safetensors;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Safetensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti safe ").FullName;

    private string FilePath => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData("golden/bert.io.safetensors")]
    [InlineData("golden/bert.safetensors")]
    [InlineData("golden/backbone.io.safetensors")]
    [InlineData("golden/peft_adafactor_dora.safetensors")]
    [InlineData("golden/adapter_model.safetensors")]
    [InlineData("models/bert-xs-imdb/model.safetensors")]
    public void Files_of_the_reference_library_are_written_back_byte_equal(string name)
    {
        var source = SharedData.Path(name);
        using var file = SafetensorsFile.Read(source);

        SafetensorsFile.Write(FilePath, file.Tensors, file.Metadata);

        using var again = SafetensorsFile.Read(FilePath);
        Assert.Equal(file.Tensors.Keys.Order(), again.Tensors.Keys.Order());
        foreach (var (key, tensor) in file.Tensors)
        {
            Assert.Equal(tensor.dtype, again.Tensors[key].dtype);
            Assert.Equal(tensor.shape, again.Tensors[key].shape);
            Assert.True(tensor.bytes.SequenceEqual(again.Tensors[key].bytes), key);
        }

        Assert.Equal(file.Metadata, again.Metadata);
        Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(FilePath));
    }

    [Fact]
    public void Every_type_comes_back_with_its_bytes()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["f32"] = tensor(new[] { 1.5f, float.NaN, -0f }), ["f64"] = tensor(new[] { Math.PI }), ["i64"] = tensor(new[] { long.MinValue, 3 }),
            ["i32"] = tensor(new[] { -7 }), ["i16"] = tensor(new short[] { -2, 5, 9 }), ["u8"] = tensor(new byte[] { 255 }), ["bool"] = tensor(new[] { true, false }),
            ["bf16"] = tensor(new[] { 0.1f, 3f, 7f }).bfloat16(), ["f16"] = tensor(new[] { 65504f }).half(), ["empty"] = zeros(0, 4), ["scalar"] = tensor(2.5f),
            ["strided"] = arange(6, ScalarType.Float32).view(2, 3).t(), ["naïve \"name\""] = ones(1),
        };

        SafetensorsFile.Write(FilePath, tensors, new Dictionary<string, string> { ["b"] = "é", ["a"] = "1" });
        using var file = SafetensorsFile.Read(FilePath);

        Assert.Equal(tensors.Keys.Order(), file.Tensors.Keys.Order());
        foreach (var (name, expected) in tensors)
        {
            Assert.Equal(expected.shape, file.Tensors[name].shape);
            Assert.Equal(expected.contiguous().bytes.ToArray(), file.Tensors[name].bytes.ToArray());
        }

        Assert.Equal("é", file.Metadata["b"]);
    }

    [Fact]
    public void The_order_in_which_tensors_are_handed_over_does_not_change_the_bytes()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (ones(3), zeros(2, ScalarType.Int64));
        SafetensorsFile.Write(FilePath, new Dictionary<string, Tensor> { ["a"] = a, ["b"] = b });
        var first = File.ReadAllBytes(FilePath);
        SafetensorsFile.Write(FilePath, new Dictionary<string, Tensor> { ["b"] = b, ["a"] = a });

        Assert.Equal(first, File.ReadAllBytes(FilePath));
        Assert.Equal(0, (int)BinaryPrimitives.ReadUInt64LittleEndian(first) % 8);
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("""{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"b":{"dtype":"U32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[4,6]}}""", 6)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F4","shape":[4],"data_offsets":[4,6]}}""", 6)]
    public void A_tensor_is_read_whatever_lies_beside_it(string json, int data)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + data];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes, 8);
        File.WriteAllBytes(FilePath, bytes);

        using var file = SafetensorsFile.Read(FilePath, name => name == "a");

        Assert.Equal(0f, Assert.Single(file.Tensors).Value.item<float>());
        Assert.Empty(file.Metadata);
        if (json.Contains("\"b\"")) Assert.Contains("'b' has the type", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(FilePath)).Message);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "and the file at")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "'a' [3] of F32 needs 12 bytes and has 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "'b' begin at 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "'b' begin at 8")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "'a' has the type F31")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "'a' has no valid place")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", 4, "not valid")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "'a' stands twice")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "not valid")]
    [InlineData("[]", 0, "not valid")]
    [InlineData("{", 0, "not valid")]
    public void A_damaged_header_is_refused_with_file_and_tensor(string json, int data, string expected)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + data];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes, 8);
        File.WriteAllBytes(FilePath, bytes);

        var error = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(FilePath));

        Assert.Contains(FilePath, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 0 })]
    [InlineData(new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' })]
    public void A_file_shorter_than_its_header_is_refused(byte[] bytes)
    {
        File.WriteAllBytes(FilePath, bytes);

        Assert.Contains(FilePath, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(FilePath)).Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("nowhere.safetensors", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(Path.Combine(_folder, "nowhere.safetensors"))).Message);
}
