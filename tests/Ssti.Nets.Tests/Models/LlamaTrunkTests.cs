using System.Text;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

public sealed class LlamaTrunkTests
{
    [SkippableFact]
    public void Hidden_states_at_tokens_are_those_of_transformers()
    {
        var config = TrunkConfig.Read(SharedData.Path("golden/llama.config.json"));
        using var weights = SafetensorsFile.Read(SharedData.Path("golden/llama.safetensors"));
        using var io = SafetensorsFile.Read(SharedData.Path("golden/llama.io.safetensors"));
        using var scope = NewDisposeScope();
        using var trunk = config.Build(Weights.Encoder(config, weights.Tensors, CPU, ScalarType.Float32));
        var (ids, mask) = (io.Tensors["input_ids"], io.Tensors["attention_mask"]);

        Assert.True(mask.sum().item<long>() < mask.numel());
        foreach (var pass in new[] { ForwardPass.Plain, new ForwardPass(OnAttention: (_, _) => { }) })
        {
            var distance = (trunk.Forward(ids, mask, pass) - io.Tensors["last_hidden_state"]).abs() * mask.unsqueeze(-1);
            Assert.InRange(distance.max().item<float>(), 0, 1e-4);
        }
    }

    [SkippableFact]
    public void The_smallest_real_Llama_writes_its_story()
    {
        var (config, tensors) = Stories.Read(SharedData.Path("models/stories260K/stories260K.bin"));
        using var scope = NewDisposeScope();
        using var model = CausalLanguageModel.Load(config, Weights.InMemory(tensors), CPU, ScalarType.Float32);
        var pieces = Stories.Pieces(SharedData.Path("models/stories260K/tok512.bin"), config.VocabSize);
        const string Story = " Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
            + "One day, she saw a big, red ball. She wanted to play with it, but it was too high.";

        var written = new StringBuilder();
        foreach (var id in model.Greedy([1], 120))
        {
            written.Append(pieces[id]);
            if (written.Length >= Story.Length) break;
        }

        Assert.Equal(Story, written.ToString());
    }

    [Fact]
    public void An_output_matrix_of_its_own_is_used_and_a_missing_one_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var config = TinyFamily.Config("llama");
        var tensors = TinyFamily.Tensors("llama").ToDictionary();
        Assert.Contains("'lm_head.weight'", Assert.Throws<ModelException>(() => CausalLanguageModel.Load(config, Weights.InMemory(tensors), CPU, ScalarType.Float32)).Message);
        tensors["lm_head.weight"] = zeros(50, 15);
        Assert.Contains(
            "wrong shape: lm_head.weight", Assert.Throws<ModelException>(() => CausalLanguageModel.Load(config, Weights.InMemory(tensors), CPU, ScalarType.Float32)).Message);
        var ids = arange(12, ScalarType.Int64).view(1, 12);
        // Twice the words' table: logits are twice those of a tied model.
        tensors["lm_head.weight"] = tensors["embed_tokens.weight"] * 2;
        using var own = CausalLanguageModel.Load(config, Weights.InMemory(tensors), CPU, ScalarType.Float32);
        using var tied = CausalLanguageModel.Load((LlamaConfig)config with { TieWordEmbeddings = true }, Weights.InMemory(tensors), CPU, ScalarType.Float32);

        var distance = own.Logits(ids, ones_like(ids), ForwardPass.Plain) - (tied.Logits(ids, ones_like(ids), ForwardPass.Plain) * 2);

        Assert.InRange(distance.abs().max().item<float>(), 0, 1e-4);
        Assert.Contains("sees what comes later", Assert.Throws<ModelException>(
            () => CausalLanguageModel.Load(TinyFamily.Config("bert"), Weights.InMemory(tensors), CPU, ScalarType.Float32)).Message);
    }

    [Fact]
    public void Rotary_positions_keep_lengths_and_tell_distances_alone()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var positions = new RotaryPositions(new RopeSettings(10000).Frequencies(8), ScalarType.Float32);
        var angles = positions.Of(20, CPU);
        var (q, k) = (random.Normal(1, 1, 1, 1, 8), random.Normal(1, 1, 1, 1, 8));
        var turnedQ = positions.Turn(q.expand(1, 1, 20, 8), angles)[0, 0];
        var turnedK = positions.Turn(k.expand(1, 1, 20, 8), angles)[0, 0];

        Assert.InRange((turnedQ[0] - q.view(8)).abs().max().item<float>(), 0, 0);
        Assert.InRange((turnedQ.norm(1) - q.norm()).abs().max().item<float>(), 0, 1e-5);
        var scores = matmul(turnedQ, turnedK.t());
        for (var shift = 1; shift < 15; shift++)
            Assert.InRange(Math.Abs(scores[shift + 4, shift].item<float>() - scores[4, 0].item<float>()), 0, 1e-4);
        Assert.True(Math.Abs(scores[4, 0].item<float>() - scores[5, 0].item<float>()) > 1e-3);
    }

    // The numbers of modeling_rope_utils.py for theta 500000, heads of 128, factor 8, low 1, high 4, original 8192 (Llama 3.1).
    [Fact]
    public void Scaling_stretches_long_waves_and_leaves_short_ones()
    {
        const int Width = 128;
        var plain = new RopeSettings(500000).Frequencies(Width);
        var linear = new RopeSettings(500000, "linear", 4).Frequencies(Width);
        var scaled = new RopeSettings(500000, "llama3", 8, 1, 4, 8192).Frequencies(Width);

        for (var i = 0; i < plain.Length; i++)
        {
            Assert.Equal(1 / Math.Pow(500000, 2.0 * i / Width), plain[i], plain[i] * 1e-5);
            Assert.Equal(plain[i] / 4, linear[i], plain[i] * 1e-6);
            var wave = 2 * Math.PI / plain[i];
            var smooth = ((8192 / wave) - 1) / 3;
            var expected = wave < 2048 ? plain[i] : wave > 8192 ? plain[i] / 8 : ((1 - smooth) * plain[i] / 8) + (smooth * plain[i]);
            Assert.Equal(expected, scaled[i], expected * 1e-4);
        }

        Assert.Contains(scaled.Zip(plain), pair => pair.First < pair.Second * 0.999 && pair.First > pair.Second * 0.13);
    }

    [Theory]
    [InlineData("""{ "rope_scaling": { "rope_type": "yarn", "factor": 4.0 } }""", "rope_type is 'yarn'")]
    [InlineData("""{ "rope_scaling": { "type": "dynamic", "factor": 2.0 } }""", "rope_type is 'dynamic'")]
    [InlineData("""{ "rope_scaling": { "rope_type": "llama3" } }""", "rope_scaling has no 'low_freq_factor'")]
    [InlineData("""{ "rope_scaling": { "rope_type": "linear", "factor": 0.5 } }""", "'factor' must be at least 1")]
    [InlineData("""{ "rope_parameters": { "rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5 } }""", "partial_rotary_factor")]
    [InlineData("""{ "rope_scaling": 3 }""", "'rope_scaling' is 3, and must be an object")]
    [InlineData("""{ "num_key_value_heads": 3 }""", "3 heads of keys and values do not divide 4")]
    [InlineData("""{ "head_dim": 5 }""", "'head_dim' is 5")]
    [InlineData("""{ "attention_bias": true }""", "attention_bias is true")]
    [InlineData("""{ "mlp_bias": true }""", "mlp_bias is true")]
    [InlineData("""{ "hidden_act": "gelu" }""", "hidden_act is gelu")]
    [InlineData("""{ "quantization_config": { "bits": 4 } }""", "quantization_config")]
    public void A_configuration_that_asks_for_something_else_is_refused_by_its_key(string change, string expected)
    {
        var json = JsonNode.Parse(TinyFamily.Config("llama").ToJson())!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(change)!.AsObject()) json[key] = value?.DeepClone();
        var path = Path.GetTempFileName();
        File.WriteAllText(path, json.ToJsonString());
        var message = Assert.Throws<ModelException>(() => TrunkConfig.Read(path, "mine/config.json")).Message;
        File.Delete(path);
        Assert.Contains(expected, message);
        Assert.StartsWith("mine/config.json", message);
    }

    [Fact]
    public void Both_spellings_of_rotary_settings_are_the_same_model()
    {
        static TrunkConfig Read(string rope)
        {
            var path = Path.GetTempFileName();
            var json = JsonNode.Parse(TinyFamily.Config("llama").ToJson())!.AsObject();
            json.Remove("rope_theta");
            json.Remove("rope_scaling");
            foreach (var (key, value) in JsonNode.Parse(rope)!.AsObject()) json[key] = value?.DeepClone();
            File.WriteAllText(path, json.ToJsonString());
            try
            {
                return TrunkConfig.Read(path);
            }
            finally
            {
                File.Delete(path);
            }
        }

        const string Scaling = """ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192 """;
        var four = Read($$"""{ "rope_theta": 500000.0, "rope_scaling": { {{Scaling}} } }""");
        var five = Read($$"""{ "rope_parameters": { "rope_theta": 500000.0, {{Scaling}} } }""");

        Assert.Equal(four, five);
        Assert.Equal(new RopeSettings(500000, "llama3", 8, 1, 4, 8192), ((LlamaConfig)four).Rope);
        Assert.Equal(new RopeSettings(10000), ((LlamaConfig)Read("{}")).Rope);
    }
}
