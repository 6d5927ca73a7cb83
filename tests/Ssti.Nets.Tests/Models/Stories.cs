using System.Runtime.InteropServices;
using System.Text;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>llama2.c's files, read apart from what converts them: the model against which the trunk is held must not come through the code that it holds.</summary>
internal static class Stories
{
    public static (LlamaConfig Config, IReadOnlyDictionary<string, Tensor> Tensors) Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var header = MemoryMarshal.Cast<byte, int>(bytes.AsSpan(0, 28)).ToArray();
        var (width, inner, layers, heads, shared, vocabulary, positions) = (header[0], header[1], header[2], header[3], header[4], header[5], header[6]);
        var (head, at) = (width / heads, 28);
        Tensor Next(params long[] shape)
        {
            var length = (int)shape.Aggregate(1L, (product, size) => product * size) * 4;
            var taken = tensor(MemoryMarshal.Cast<byte, float>(bytes.AsSpan(at, length)).ToArray()).view(shape);
            at += length;
            return taken;
        }

        // Pairs (2i, 2i + 1) of a head's rows come to stand half a head apart.
        Tensor Apart(Tensor rows, int count) => rows.view(layers, count, head / 2, 2, width).transpose(2, 3).reshape(layers, count * head, width);
        var words = Next(vocabulary, width);
        var first = Next(layers, width);
        var query = Apart(Next(layers, heads * head, width), heads);
        var key = Apart(Next(layers, shared * head, width), shared);
        var value = Next(layers, shared * head, width);
        var output = Next(layers, width, heads * head);
        var second = Next(layers, width);
        var gate = Next(layers, inner, width);
        var down = Next(layers, width, inner);
        var up = Next(layers, inner, width);
        var tensors = new Dictionary<string, Tensor> { ["model.embed_tokens.weight"] = words, ["model.norm.weight"] = Next(width) };
        for (var layer = 0; layer < layers; layer++)
        {
            foreach (var (name, stack) in new[]
            {
                ("input_layernorm", first), ("self_attn.q_proj", query), ("self_attn.k_proj", key), ("self_attn.v_proj", value), ("self_attn.o_proj", output),
                ("post_attention_layernorm", second), ("mlp.gate_proj", gate), ("mlp.up_proj", up), ("mlp.down_proj", down),
            })
                tensors.Add($"model.layers.{layer}.{name}.weight", stack[layer]);
        }

        return (new LlamaConfig(vocabulary, width, layers, heads, shared, head, inner, positions, new RopeSettings(10000), 1e-5, TieWordEmbeddings: true), tensors);
    }

    /// <summary>The pieces of a tokenizer.bin, bytes spelled out.</summary>
    public static string[] Pieces(string path, int count)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        reader.ReadInt32();
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            reader.ReadSingle();
            var piece = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()));
            return piece.StartsWith("<0x", StringComparison.Ordinal) ? ((char)Convert.ToByte(piece[3..5], 16)).ToString() : piece;
        })];
    }
}
