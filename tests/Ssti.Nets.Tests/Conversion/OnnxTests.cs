using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Ssti.Nets.Conversion;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;

namespace Ssti.Nets.Tests.Conversion;

/// <summary>A BERT encoder in ONNX as Hugging Face's folder. That a whole one computes the same is held by the tests of the model stage, on the paper's own backbone.</summary>
public sealed class OnnxTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti onnx ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("model.onnx", "vocab.txt", "")]
    [InlineData("onnx/model.onnx", "vocab.txt", "")]
    [InlineData("encoder.onnx", "elsewhere/vocab.txt", "elsewhere/vocab.txt")]
    [InlineData("encoder.onnx", "elsewhere/vocab.txt", "elsewhere")]
    public void An_encoder_and_what_lies_beside_it_become_a_folder(string weights, string vocabulary, string named)
    {
        Write(weights, Encoder());
        Write(vocabulary, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n"u8.ToArray());
        var from = weights == "encoder.onnx" ? Path.Combine(_folder, weights) : _folder;
        var to = Path.Combine(_folder, "out");
        ModelConverter.Convert(ConversionSource.Find(from, named.Length == 0 ? null : Path.Combine(_folder, named)), to, null, default);
        Assert.Equal(["config.json", "model.safetensors", "vocab.txt"], Directory.GetFiles(to).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(to, "config.json")))!;
        Assert.Equal(("bert", 6, 4, 1, 2, 3), ((string?)config["model_type"], (int)config["vocab_size"]!, (int)config["hidden_size"]!, (int)config["num_hidden_layers"]!,
            (int)config["num_attention_heads"]!, (int)config["intermediate_size"]!));
        using var tensors = SafetensorsFile.Read(Path.Combine(to, "model.safetensors"));
        // [4, 3] in the product's order is [3, 4] in a linear's.
        Assert.Equal([0f, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], tensors.Tensors["encoder.layer.0.intermediate.dense.weight"].data<float>().ToArray());
        Assert.Equal([5L, 4], tensors.Tensors["embeddings.position_embeddings.weight"].shape);
    }

    [Fact]
    public void A_config_beside_it_is_taken_as_it_is()
    {
        Write("model.onnx", Encoder());
        Write("vocab.txt", "[PAD]\n"u8.ToArray());
        Write("config.json", "{ \"mine\": 1 }"u8.ToArray());
        ModelConverter.Convert(ConversionSource.Find(_folder), Path.Combine(_folder, "out"), null, default);
        Assert.Equal("{ \"mine\": 1 }", File.ReadAllText(Path.Combine(_folder, "out/config.json")));
    }

    [Fact]
    public void What_is_missing_or_malformed_is_named_and_nothing_is_written()
    {
        Write("model.onnx", Encoder());
        Assert.Contains("has no vocab.txt or tokenizer.json beside it; name the tokenizer's file or folder with --tokenizer", Refused());
        Write("vocab.txt", "[PAD]\n"u8.ToArray());
        Write("model.onnx", Encoder()[..^9]);
        Assert.Contains("is not an ONNX model, or was cut short", Refused());
        Write("model.onnx", []);
        Assert.Contains("is not an ONNX model: it has no graph", Refused());
        Assert.False(Directory.Exists(Path.Combine(_folder, "out")));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder), entry => entry.EndsWith(".part", StringComparison.Ordinal));
        File.Delete(Path.Combine(_folder, "model.onnx"));
        Assert.Contains("holds nothing that can be converted; known are llama2.c checkpoints", Refused());

        string Refused() => Assert.Throws<ModelException>(() => ModelConverter.Convert(ConversionSource.Find(_folder), Path.Combine(_folder, "out"), null, default)).Message;
    }

    // As much of PyTorch's export as the reader looks at: named initialisers, a product with a nameless one, and constants.
    private static byte[] Encoder() => Message(output => Field(output, 7, graph =>
    {
        foreach (var (name, rows) in new[] { ("word", 6), ("position", 5), ("token_type", 2) })
            Field(graph, 5, tensor => Floats(tensor, $"embeddings.{name}_embeddings.weight", rows, 4));
        Field(graph, 5, tensor => Floats(tensor, "onnx::MatMul_1", 4, 3));
        Node(graph, "/encoder/layer.0/intermediate/dense/MatMul", "MatMul", null, "x", "onnx::MatMul_1");
        Node(graph, "/encoder/layer.0/intermediate/intermediate_act_fn/Erf", "Erf", null);
        foreach (var (i, number) in new[] { 2L, 2 }.Index())
            Node(graph, $"/encoder/layer.0/attention/self/Constant_{i}", "Constant", tensor => Raw(tensor, 7, BitConverter.GetBytes(number)));
        Node(graph, "/embeddings/LayerNorm/Constant", "Constant", tensor => Raw(tensor, 1, BitConverter.GetBytes(1e-12f)));
    }));

    private static void Node(CodedOutputStream graph, string name, string operation, Action<CodedOutputStream>? constant, params string[] inputs) => Field(graph, 1, node =>
    {
        foreach (var input in inputs) Text(node, 1, input);
        Text(node, 3, name);
        Text(node, 4, operation);
        if (constant is not null) Field(node, 5, attribute => Field(attribute, 5, constant));
    });

    private static void Floats(CodedOutputStream tensor, string name, int rows, int columns)
    {
        foreach (var size in new[] { rows, columns })
        {
            tensor.WriteTag(1 << 3);
            tensor.WriteInt64(size);
        }

        Text(tensor, 8, name);
        Raw(tensor, 1, MemoryMarshal.AsBytes<float>(Enumerable.Range(0, rows * columns).Select(i => (float)i).ToArray()));
    }

    private static void Raw(CodedOutputStream tensor, int type, ReadOnlySpan<byte> bytes)
    {
        tensor.WriteTag(2 << 3);
        tensor.WriteInt32(type);
        tensor.WriteTag((9 << 3) | 2);
        tensor.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static void Text(CodedOutputStream output, uint field, string text)
    {
        output.WriteTag((field << 3) | 2);
        output.WriteString(text);
    }

    private static void Field(CodedOutputStream output, uint field, Action<CodedOutputStream> write)
    {
        output.WriteTag((field << 3) | 2);
        output.WriteBytes(ByteString.CopyFrom(Message(write)));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true)) write(output);
        return memory.ToArray();
    }

    private void Write(string file, byte[] content)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }
}
