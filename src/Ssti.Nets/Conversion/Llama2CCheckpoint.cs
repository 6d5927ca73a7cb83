using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Conversion;

/// <summary>
/// A Llama's weights as llama2.c keeps them (its export.py: version 0, a header of seven numbers, and version 1, which begins with "ak42"), fp32, under Hugging Face's
/// names. Its rotary embeddings turn neighbouring rows of a head's query and key, Hugging Face's the first half of the rows with the second: those rows are reordered.
/// </summary>
public sealed class Llama2CCheckpoint
{
    private const uint Magic = 0x616B3432;
    private const int HeaderBytes = 7 * sizeof(int), HeaderBytesOfVersion1 = 256;

    // More than any model has of any of them.
    private const int Most = 10_000_000;

    private readonly string _path, _title;
    private readonly Dictionary<string, (long[] Shape, long Offset, int Heads)> _tensors = new(StringComparer.Ordinal);
    private long _end;

    private Llama2CCheckpoint(string path, string title) => (_path, _title) = (path, title);

    /// <summary>What Hugging Face's <c>config.json</c> says of it.</summary>
    public JsonObject Config { get; private set; } = [];

    /// <summary>Ids that it has embeddings for.</summary>
    public int VocabularySize { get; private set; }

    /// <summary>Shapes by name; of a linear [outputs, inputs].</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes =>
        _tensors.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<long>)pair.Value.Shape, StringComparer.Ordinal);

    /// <summary>Whether a file may be one, by its beginning.</summary>
    public static bool Is(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[HeaderBytes];
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(start) == Magic) return true;
        var header = MemoryMarshal.Cast<byte, int>(start);
        var (dim, _, layers, heads, groups) = (header[0], header[1], header[2], header[3], header[4]);
        return dim is > 0 and < Most && layers is > 0 and < 10_000 && heads > 0 && groups > 0 && dim % heads == 0 && heads % groups == 0;
    }

    /// <summary>Reads a file's header, and checks that the rest is as long as it says.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it.</param>
    /// <exception cref="ModelException">It is none, was cut short, or is quantised.</exception>
    public static Llama2CCheckpoint Read(string path, string title)
    {
        using var file = File.OpenRead(path);
        var start = new byte[HeaderBytesOfVersion1];
        var read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var checkpoint = new Llama2CCheckpoint(path, title);
        var versioned = read >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(start) == Magic;
        if (read < (versioned ? start.Length : HeaderBytes)) throw new ModelException($"{title} is no llama2.c checkpoint: it has {read} bytes");
        var numbers = MemoryMarshal.Cast<byte, int>(start);
        if (!versioned) checkpoint.Lay(numbers[..7], numbers[5] < 0, version: 0);
        else if (numbers[1] == 1) checkpoint.Lay(numbers[2..9], start[36] == 0, version: 1);
        else
        {
            throw new ModelException(
                $"{title} is a llama2.c checkpoint of version {numbers[1]}, and only the fp32 versions 0 and 1 are read (2 is quantised to int8: another model)");
        }

        if (file.Length != checkpoint._end)
        {
            throw new ModelException(
                $"{title} has {file.Length} bytes, and its header speaks of {checkpoint._end}; it was cut short, or is no llama2.c checkpoint");
        }

        return checkpoint;
    }

    /// <summary>The floats of a tensor, little-endian, row by row.</summary>
    public byte[] Floats(string name)
    {
        var (shape, offset, heads) = _tensors[name];
        var bytes = new byte[checked((int)(sizeof(float) * shape.Aggregate(1L, (product, size) => product * size)))];
        using (var file = File.OpenRead(_path))
        {
            file.Position = offset;
            file.ReadExactly(bytes);
        }

        return heads == 0 ? bytes : Halves(bytes, (int)shape[0] / heads, (int)shape[1] * sizeof(float));
    }

    // Of each head's rows 0 1 2 3 4 5 the order becomes 0 2 4 1 3 5.
    private static byte[] Halves(byte[] rows, int head, int width)
    {
        var turned = new byte[rows.Length];
        for (var row = 0; row < rows.Length / width; row++)
        {
            var (first, within) = (row / head * head, row % head);
            var to = first + (within / 2) + (within % 2 * (head / 2));
            rows.AsSpan(row * width, width).CopyTo(turned.AsSpan(to * width));
        }

        return turned;
    }

    private void Lay(ReadOnlySpan<int> header, bool ownHead, int version)
    {
        var (dim, hidden, layers, heads, groups, vocabulary, positions) = (header[0], header[1], header[2], header[3], header[4], Math.Abs(header[5]), header[6]);
        foreach (var (name, value) in new[]
        {
            ("dim", dim), ("hidden_dim", hidden), ("n_layers", layers), ("n_heads", heads), ("n_kv_heads", groups), ("vocab_size", vocabulary), ("max_seq_len", positions),
        })
            if (value is < 1 or > Most) throw new ModelException($"{_title} is no llama2.c checkpoint: its {name} would be {value}");
        if (dim % heads != 0 || heads % groups != 0 || dim / heads % 2 != 0)
            throw new ModelException($"{_title} is no llama2.c checkpoint: {dim} dimensions, {heads} heads and {groups} heads of keys do not go together");
        VocabularySize = vocabulary;
        Config = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = vocabulary,
            ["hidden_size"] = dim,
            ["intermediate_size"] = hidden,
            ["num_hidden_layers"] = layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = groups,
            ["max_position_embeddings"] = positions,
            ["hidden_act"] = "silu",
            // What llama2.c's model.py and run.c have for these; no file of theirs says so.
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["attention_bias"] = false,
            ["mlp_bias"] = false,
            ["tie_word_embeddings"] = !ownHead,
            ["bos_token_id"] = Llama2CTokenizer.Begin,
            ["eos_token_id"] = Llama2CTokenizer.End,
            ["torch_dtype"] = "float32",
        };
        _end = version == 0 ? HeaderBytes : HeaderBytesOfVersion1;
        var keys = dim / heads * groups;
        void Layered(string name, int turned, params long[] shape)
        {
            for (var layer = 0; layer < layers; layer++) Put($"model.layers.{layer}.{name}.weight", turned, shape);
        }

        if (version == 0) Put("model.embed_tokens.weight", 0, vocabulary, dim);
        Layered("input_layernorm", 0, dim);
        if (version == 1)
        {
            Layered("post_attention_layernorm", 0, dim);
            Put("model.norm.weight", 0, dim);
            Put("model.embed_tokens.weight", 0, vocabulary, dim);
        }

        Layered("self_attn.q_proj", heads, dim, dim);
        Layered("self_attn.k_proj", groups, keys, dim);
        Layered("self_attn.v_proj", 0, keys, dim);
        Layered("self_attn.o_proj", 0, dim, dim);
        if (version == 0) Layered("post_attention_layernorm", 0, dim);
        Layered("mlp.gate_proj", 0, hidden, dim);
        Layered("mlp.down_proj", 0, dim, hidden);
        Layered("mlp.up_proj", 0, hidden, dim);
        if (version == 0)
        {
            Put("model.norm.weight", 0, dim);
            // Cosines and sines of the rotary embeddings, which follow from the shape.
            _end += sizeof(float) * (long)positions * (dim / heads);
        }

        if (ownHead) Put("lm_head.weight", 0, vocabulary, dim);
    }

    private void Put(string name, int heads, params long[] shape)
    {
        _tensors.Add(name, (shape, _end, heads));
        _end = checked(_end + (sizeof(float) * shape.Aggregate(1L, (product, size) => product * size)));
    }
}
