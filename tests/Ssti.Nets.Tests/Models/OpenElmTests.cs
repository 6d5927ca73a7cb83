using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>OpenELM, of which there is no reference output: shapes and counts as published, and identities that its arithmetic must keep.</summary>
public sealed class OpenElmTests
{
    // The published configurations (apple/OpenELM, configuration_openelm.py); 270M's and 1.1B's heads, and 1.1B's multipliers, stand in their config.json.
    [Theory]
    [InlineData(16, 1280, 64, 271_527_168, "12*5 16*7 20*4")]
    [InlineData(20, 1536, 64, 457_179_136, "12*3 16*7 20*6 24*4")]
    [InlineData(28, 2048, 64, 1_079_891_456, "16*3 20*7 24*8 28*6 32*4")]
    [InlineData(36, 3072, 128, 3_036_647_424, "12*4 16*14 20*12 24*6")]
    public void Heads_and_counts_are_those_of_the_published_models(int layers, int width, int head, long parameters, string heads)
    {
        var config = Read(Published(layers, width, head));

        int[] expected = [.. heads.Split(' ').Select(run => run.Split('*')).SelectMany(run => Enumerable.Repeat(int.Parse(run[0]), int.Parse(run[1])))];
        Assert.Equal(expected, Enumerable.Range(0, layers).Select(config.HeadsOf));
        Assert.Equal(expected.Select(count => count / 4), Enumerable.Range(0, layers).Select(config.KeyValueHeadsOf));
        // 0.5 to 4 times the width, in multiples of 256.
        Assert.Equal((width / 2 + 255) / 256 * 256, config.IntermediateSizes[0]);
        Assert.Equal(4 * width, config.IntermediateSizes[^1]);
        Assert.All(config.IntermediateSizes, size => Assert.Equal(0, size % 256));
        Assert.Equal(parameters, config.Tensors().Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)));
        // By hand, a layer at a time: the words and the last norm, then norms, projections and the gated feed-forward.
        var byHand = (32001L * width) + Enumerable.Range(0, layers).Sum(layer =>
            (2L * width) + (2L * head) + ((long)width * (expected[layer] + (expected[layer] / 2)) * head) + ((long)expected[layer] * head * width)
            + (3L * width * config.IntermediateSizes[layer]));
        Assert.Equal(parameters, byHand);
    }

    [Fact]
    public void The_config_of_the_Hub_with_a_number_a_layer_is_the_same_model()
    {
        var written = Published(28, 2048, 64);
        written["ffn_multipliers"] = JsonNode.Parse(
            "[0.5,0.63,0.76,0.89,1.02,1.15,1.28,1.41,1.54,1.67,1.8,1.93,2.06,2.19,2.31,2.44,2.57,2.7,2.83,2.96,3.09,3.22,3.35,3.48,3.61,3.74,3.87,4.0]");
        written["num_kv_heads"] = JsonNode.Parse("[4,4,4,5,5,5,5,5,5,5,6,6,6,6,6,6,6,6,7,7,7,7,7,7,8,8,8,8]");
        written["auto_map"] = JsonNode.Parse("""{ "AutoModelForCausalLM": "modeling_openelm.OpenELMForCausalLM" }""");

        Assert.Equal(Read(Published(28, 2048, 64)).Tensors().Select(Written), Read(written).Tensors().Select(Written));

        written["num_kv_heads"]![27] = 9;
        Assert.Contains("'num_kv_heads' is 4, 4", Assert.Throws<ModelException>(() => Read(written)).Message);

        static string Written((string Name, long[] Shape) tensor) => $"{tensor.Name} {string.Join('x', tensor.Shape)}";
    }

    [Theory]
    [InlineData("qkv_multipliers", "[0.5, 0.7, 1.0]", "has 3 numbers, and must have 1 or 2")]
    [InlineData("ffn_multipliers", "\"many\"", "is \"many\", and must be a number")]
    [InlineData("activation_fn_name", "\"gelu\"", "activation_fn_name is gelu")]
    [InlineData("ffn_with_glu", "false", "ffn_with_glu is false")]
    [InlineData("normalization_layer_name", "\"layer_norm\"", "normalization_layer_name is layer_norm")]
    [InlineData("head_dim", "63", "'head_dim' is 63")]
    [InlineData("model_dim", null, "has no 'model_dim'")]
    public void A_configuration_that_asks_for_something_else_is_refused_by_its_key(string key, string? value, string expected)
    {
        var json = Published(16, 1280, 64);
        json[key] = value is null ? null : JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<ModelException>(() => Read(json)).Message);
    }

    // Llama is held against transformers: an OpenELM with the same width in every layer and no norms of queries and keys computes what it does.
    [Fact]
    public void Without_what_is_its_own_it_is_a_Llama()
    {
        using var scope = NewDisposeScope();
        var elm = new OpenElmConfig(50, 16, 2, [1], [1.5], Groups: 2, HeadWidth: 4, MaxPositions: 12, FfnDivisor: 8, NormalizeQueriesAndKeys: false);
        var llama = new LlamaConfig(50, 16, 2, Heads: 4, KeyValueHeads: 2, HeadWidth: 4, IntermediateSize: 24, MaxPositions: 12, new RopeSettings(10000), 1e-6);
        using var random = new RandomStream(1, CPU);
        var tensors = Weights.Initial(llama.Tensors(), random, 0.3).ToDictionary(pair => pair.Key, pair => pair.Value + random.Normal(0.1, pair.Value.shape));
        Tensor Of(string name) => tensors[name + ".weight"];
        var renamed = new Dictionary<string, Tensor> { ["token_embeddings.weight"] = Of("embed_tokens"), ["norm.weight"] = Of("norm") };
        for (var layer = 0; layer < 2; layer++)
        {
            var (from, to) = ($"layers.{layer}", $"layers.{layer}");
            renamed[$"{to}.attn_norm.weight"] = Of($"{from}.input_layernorm");
            renamed[$"{to}.attn.qkv_proj.weight"] = cat([Of($"{from}.self_attn.q_proj"), Of($"{from}.self_attn.k_proj"), Of($"{from}.self_attn.v_proj")], 0);
            renamed[$"{to}.attn.out_proj.weight"] = Of($"{from}.self_attn.o_proj");
            renamed[$"{to}.ffn_norm.weight"] = Of($"{from}.post_attention_layernorm");
            renamed[$"{to}.ffn.proj_1.weight"] = cat([Of($"{from}.mlp.gate_proj"), Of($"{from}.mlp.up_proj")], 0);
            renamed[$"{to}.ffn.proj_2.weight"] = Of($"{from}.mlp.down_proj");
        }

        using var left = llama.Build(Weights.Encoder(llama, tensors, CPU, ScalarType.Float32));
        using var right = elm.Build(Weights.Encoder(elm, renamed, CPU, ScalarType.Float32));
        var (ids, mask) = TinyBert.Batch();

        Assert.InRange((left.Forward(ids, mask, ForwardPass.Plain) - right.Forward(ids, mask, ForwardPass.Plain)).abs().max().item<float>(), 0, 1e-5);
    }

    // The norm takes the length of each head's queries and keys away, and turns with nothing: a head that is stretched computes the same.
    [Fact]
    public void Queries_and_keys_are_normed_head_by_head_before_they_turn()
    {
        using var scope = NewDisposeScope();
        var config = (OpenElmConfig)TinyFamily.Config("openelm");
        var tensors = TinyFamily.Tensors("openelm").ToDictionary(pair => pair.Key, pair => pair.Value.to(ScalarType.Float64));
        var stretched = tensors.ToDictionary();
        var name = "layers.1.attn.qkv_proj.weight";
        var (queries, keys) = (config.HeadsOf(1), config.KeyValueHeadsOf(1));
        Tensor Stretched(int head, double by)
        {
            var weight = tensors[name].clone();
            weight.narrow(0, head * config.HeadWidth, config.HeadWidth).mul_(by);
            return weight;
        }

        Tensor Hidden(IReadOnlyDictionary<string, Tensor> weights)
        {
            var (ids, mask) = TinyBert.Batch();
            return config.Build(weights, ownsWeights: false).Forward(ids, mask, ForwardPass.Plain);
        }

        var plain = Hidden(tensors);
        // The epsilon beside a mean square of about 1 is all that differs.
        for (var head = 0; head < queries + keys; head++)
            Assert.InRange((Hidden(stretched.Append(name, Stretched(head, 3))) - plain).abs().max().item<double>(), 0, 1e-4);
        Assert.InRange((Hidden(stretched.Append(name, Stretched(queries + keys, 3))) - plain).abs().max().item<double>(), 1e-2, 1e3);
    }

    private static JsonObject Published(int layers, int width, int head) => new()
    {
        ["model_type"] = "openelm", ["vocab_size"] = 32000, ["max_context_length"] = 2048, ["num_transformer_layers"] = layers, ["model_dim"] = width, ["head_dim"] = head,
        ["num_gqa_groups"] = 4, ["normalize_qk_projections"] = true, ["share_input_output_layers"] = true, ["ffn_multipliers"] = new JsonArray(0.5, 4.0),
        ["qkv_multipliers"] = new JsonArray(0.5, 1.0), ["ffn_with_glu"] = true, ["ffn_dim_divisor"] = 256, ["activation_fn_name"] = "swish",
        ["normalization_layer_name"] = "rms_norm", ["rope_freq_constant"] = 10000, ["rope_max_length"] = 4096,
    };

    private static OpenElmConfig Read(JsonObject json)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, json.ToJsonString());
        try
        {
            return (OpenElmConfig)TrunkConfig.Read(path, "mine/config.json");
        }
        finally
        {
            File.Delete(path);
        }
    }
}

file static class DictionaryExtensions
{
    public static Dictionary<string, Tensor> Append(this IReadOnlyDictionary<string, Tensor> tensors, string name, Tensor tensor) =>
        new(tensors) { [name] = tensor };
}
