using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Nets.Models;

namespace Ssti.Nets.Onnx;

/// <summary>
/// A BERT encoder out of an ONNX file, weights only, under Hugging Face's names. PyTorch's exporter keeps the names of biases, norms and embeddings; a linear's weight
/// becomes a nameless initialiser, transposed, of a MatMul node that is named after the linear.
/// </summary>
/// <param name="Weights">The weights by name: shapes (of a linear [outputs, inputs]) and floats, little-endian, row by row.</param>
/// <param name="Config">What the graph tells of <c>config.json</c>.</param>
public sealed partial record OnnxEncoder(IReadOnlyDictionary<string, (IReadOnlyList<long> Shape, byte[] Bytes)> Weights, JsonObject Config)
{
    private const string Words = "embeddings.word_embeddings.weight", Positions = "embeddings.position_embeddings.weight", Types = "embeddings.token_type_embeddings.weight";

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is no BERT encoder; says what is missing.</exception>
    public static OnnxEncoder Read(string path)
    {
        var graph = OnnxGraph.Read(path);
        var weights = Names(path, graph);
        foreach (var needed in new[] { Words, Positions, Types, "encoder.layer.0.intermediate.dense.weight" })
            if (!weights.ContainsKey(needed)) throw new ModelException($"{path} is not a BERT encoder as PyTorch exports one: it has no '{needed}'");
        var hidden = weights[Words].Tensor.Shape[1];
        var config = new JsonObject
        {
            ["model_type"] = "bert",
            ["vocab_size"] = weights[Words].Tensor.Shape[0],
            ["hidden_size"] = hidden,
            ["num_hidden_layers"] = weights.Keys.Select(name => Layer().Match(name)).Where(match => match.Success)
                .Max(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)) + 1,
            ["num_attention_heads"] = Heads(path, graph, hidden),
            ["intermediate_size"] = weights["encoder.layer.0.intermediate.dense.weight"].Tensor.Shape[1],
            ["max_position_embeddings"] = weights[Positions].Tensor.Shape[0],
            ["type_vocab_size"] = weights[Types].Tensor.Shape[0],
            ["layer_norm_eps"] = Epsilon(path, graph),
            ["hidden_act"] = graph.Nodes.Any(node => node.Operation is "Erf" or "Gelu") ? "gelu"
                : throw new ModelException($"{path}: its activation is not GELU, which is the only one known here"),
            ["hidden_dropout_prob"] = 0.1,
            ["attention_probs_dropout_prob"] = 0.1,
        };
        return new OnnxEncoder(weights.ToDictionary(pair => pair.Key, pair => Weight(path, pair.Key, pair.Value.Tensor, pair.Value.Transposed), StringComparer.Ordinal), config);
    }

    private static Dictionary<string, (OnnxTensor Tensor, bool Transposed)> Names(string path, OnnxGraph graph)
    {
        var weights = graph.Tensors.Values.Where(tensor => tensor.Name.StartsWith("embeddings.", StringComparison.Ordinal) || Layer().IsMatch(tensor.Name))
            .Where(tensor => tensor.Type != OnnxType.Int64)
            .ToDictionary(tensor => tensor.Name, tensor => (tensor, false), StringComparer.Ordinal);
        foreach (var node in graph.Nodes.Where(node => node.Operation is "MatMul" or "Gemm" && node.Inputs.Count > 1))
        {
            if (!graph.Tensors.TryGetValue(node.Inputs[1], out var tensor) || Linear().Match(node.Name) is not { Success: true } linear) continue;
            var name = linear.Groups[1].Value.Replace('/', '.') + ".weight";
            if (!weights.TryAdd(name, (tensor, true))) throw new ModelException($"{path}: two products are named '{node.Name}'");
        }

        return weights;
    }

    // The reshape into heads is by constants: so many heads, each so wide.
    private static long Heads(string path, OnnxGraph graph, long hidden)
    {
        var constants = graph.Nodes.Where(node => node.Name.StartsWith("/encoder/layer.0/attention/self/Constant", StringComparison.Ordinal))
            .Select(node => node.Value).OfType<OnnxTensor>().Where(value => value.Type == OnnxType.Int64 && value.Bytes.Length == 8)
            .Select(value => BitConverter.ToInt64(value.Bytes.Span)).Where(value => value > 1).ToArray();
        // In the order of the export: heads, then their width, for query, key and value alike.
        return constants is [var heads, var width, ..] && heads * width == hidden ? heads
            : throw new ModelException($"{path}: how many attention heads it has cannot be read from the graph; put its config.json beside it");
    }

    private static double Epsilon(string path, OnnxGraph graph)
    {
        var norm = graph.Nodes.Where(node => node.Name.StartsWith("/embeddings/LayerNorm/", StringComparison.Ordinal)).ToArray();
        var values = norm.Select(node => node.Value).OfType<OnnxTensor>().Where(value => value.Type == OnnxType.Float && value.Bytes.Length == 4)
            .Select(value => BitConverter.ToSingle(value.Bytes.Span)).Where(value => value is > 0 and < 1e-3f).Distinct().ToArray();
        return values.Length == 1 ? double.Parse(values[0].ToString("g7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
            : throw new ModelException($"{path}: the epsilon of its layer norms cannot be read from the graph; put its config.json beside it");
    }

    private static (IReadOnlyList<long> Shape, byte[] Bytes) Weight(string path, string name, OnnxTensor tensor, bool transposed)
    {
        if (tensor.Type != OnnxType.Float)
            throw new ModelException($"{path}: '{name}' is of type {tensor.Type}; weights of float (fp32) are read, quantised ones are another model");
        if (tensor.Unpacked || tensor.Bytes.Length != 4 * tensor.Shape.Aggregate(1L, (product, size) => product * size))
            throw new ModelException($"{path}: '{name}' has {tensor.Bytes.Length} bytes for {string.Join("x", tensor.Shape)} floats");
        if (!transposed) return (tensor.Shape, tensor.Bytes.ToByteArray());
        var values = MemoryMarshal.Cast<byte, float>(tensor.Bytes.Span);
        var (rows, columns, turned) = ((int)tensor.Shape[0], (int)tensor.Shape[1], new float[values.Length]);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) turned[(column * rows) + row] = values[(row * columns) + column];
        return ([columns, rows], MemoryMarshal.AsBytes(turned.AsSpan()).ToArray());
    }

    [GeneratedRegex(@"^encoder\.layer\.(\d+)\.")]
    private static partial Regex Layer();

    [GeneratedRegex(@"^/(encoder/layer\.\d+/(?:attention/self/(?:query|key|value)|attention/output/dense|intermediate/dense|output/dense))/(?:MatMul|Gemm)$")]
    private static partial Regex Linear();
}
